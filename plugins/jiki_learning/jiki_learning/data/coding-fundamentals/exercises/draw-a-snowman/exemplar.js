circle(50, 75, 20);
circle(50, 41, 14);
circle(50, 18, 9);
