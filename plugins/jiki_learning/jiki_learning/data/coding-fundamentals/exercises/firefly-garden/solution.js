light(1, 1);
