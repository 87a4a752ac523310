// You stand at the entrance and look to the right.
// Your instructions go below, one on each line.
