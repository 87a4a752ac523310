// circle(left, top, radius)

circle(50, 75, 20);
