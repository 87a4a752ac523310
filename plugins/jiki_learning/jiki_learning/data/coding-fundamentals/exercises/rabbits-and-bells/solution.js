function sing(number) {
  return number;
}

// This line hands your function to the tests. Leave it as it is.
module.exports = { sing };
