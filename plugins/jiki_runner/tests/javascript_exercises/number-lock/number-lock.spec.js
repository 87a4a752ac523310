import { codes } from './number-lock';

describe('codes', () => {
  test('of one wheel are the digits', () => {
    expect([...codes(1)]).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
  });

  test('have as many digits as there are wheels', () => {
    for (const code of codes(2)) expect(code).toMatch(/^[0-9]{2}$/);
    expect([...codes(2)]).toHaveLength(100);
  });

  test('are made only as far as somebody asks', () => {
    const first = codes(12).next();
    expect(first).toEqual({ value: '000000000000', done: false });
  });
});
