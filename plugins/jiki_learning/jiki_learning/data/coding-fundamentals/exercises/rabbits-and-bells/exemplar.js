function sing(number) {
  const isRabbit = number % 4 === 0;
  const isBell = number % 6 === 0;
  if (isRabbit && isBell) {
    return "rabbit bell";
  } else if (isRabbit) {
    return "rabbit";
  } else if (isBell) {
    return "bell";
  } else {
    return number;
  }
}

module.exports = { sing };
