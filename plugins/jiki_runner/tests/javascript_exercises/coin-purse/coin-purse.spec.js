import { change } from './coin-purse';

describe('change', () => {
  const euro = [1, 2, 5, 10, 20, 50, 100, 200];

  it('is empty when the price is paid exactly', () => {
    expect(change(100, 100, euro)).toEqual([]);
  });

  it('uses the largest coins first', () => {
    expect(change(500, 112, euro)).toEqual([200, 100, 50, 20, 10, 5, 2, 1]);
  });

  it('uses a coin several times', () => {
    expect(change(10, 4, [1, 2])).toHaveLength(3);
  });

  it('leaves the list of coins alone', () => {
    const coins = Object.freeze([5, 1]);
    expect(change(7, 1, coins)).toEqual([5, 1]);
    expect(coins).toEqual([5, 1]);
  });

  it('does not lend', () => {
    expect(() => change(1, 2, euro)).toThrow(RangeError);
    expect(() => change(1, 2, euro)).toThrow('not enough');
    expect(() => change(1, 2, euro)).toThrow(/not/);
    expect(() => change(2, 2, euro)).not.toThrow();
  });
});
