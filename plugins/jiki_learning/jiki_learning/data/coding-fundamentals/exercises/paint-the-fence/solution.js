// You stand in front of the first board.

paint();
stepRight();
