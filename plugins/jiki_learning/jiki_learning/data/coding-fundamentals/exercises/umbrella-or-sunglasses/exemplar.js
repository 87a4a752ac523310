function whatToTake(weather) {
  if (weather === "rain") {
    return "umbrella";
  } else if (weather === "sun") {
    return "sunglasses";
  } else {
    return "nothing";
  }
}

module.exports = { whatToTake };
