for (let round = 1; round <= 30; round++) {
  paint();
  stepRight();
}
