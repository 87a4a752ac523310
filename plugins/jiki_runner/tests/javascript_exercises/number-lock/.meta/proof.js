export function* codes(wheels) {
  for (let number = 0; number < 10 ** wheels; number += 1) {
    yield String(number).padStart(wheels, '0');
  }
}
