export function toFahrenheit(celsius) {
  return celsius * 1.8 + 32;
}

export function average(...celsius) {
  return celsius.reduce((sum, each) => sum + each, 0) / celsius.length;
}
