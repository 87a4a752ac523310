import * as thermometer from './thermometer';

describe('thermometer', () => {
  test.each([
    [0, 32],
    [100, 212],
    [-40, -40],
  ])('%d in Celsius are %d in Fahrenheit', (celsius, fahrenheit) => {
    expect(thermometer.toFahrenheit(celsius)).toBeCloseTo(fahrenheit);
  });

  test('a body is warm', () => {
    expect(thermometer.toFahrenheit(37)).toBeCloseTo(98.6, 5);
    expect(thermometer.toFahrenheit(37)).not.toBeCloseTo(98.7, 5);
  });

  test('averages are exact enough', () => {
    expect(thermometer.average(0.1, 0.2, 0.3)).toBeCloseTo(0.2);
  });

  test('the average of nothing is not a number', () => {
    expect(thermometer.average()).toBeNaN();
  });
});
