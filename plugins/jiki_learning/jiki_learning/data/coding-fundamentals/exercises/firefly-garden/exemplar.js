for (let row = 1; row <= 8; row++) {
  for (let column = 1; column <= 8; column++) {
    if ((column + row) % 2 === 0) {
      light(column, row);
    }
  }
}
