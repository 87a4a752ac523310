// Temperatures in two scales.
export function toFahrenheit(celsius) {
  return celsius;
}

export function average(...celsius) {
  return 0;
}
