import { toOrder } from './stock-list';

describe('toOrder', () => {
  const items = [
    { name: 'pens', stock: 3, minimum: 5 },
    { name: 'paper', stock: 9, minimum: 5 },
    { name: 'ink', stock: 0, minimum: 4 },
  ];

  test('lists what is missing', () => {
    expect(toOrder(items)).toEqual([
      { name: 'ink', count: 4 },
      { name: 'pens', count: 2 },
    ]);
  });

  test('is empty when nothing is missing', () => {
    expect(toOrder([items[1]])).toEqual([]);
  });

  test('asks for positive numbers only', () => {
    const orders = toOrder(items);
    expect(orders.length).toBeGreaterThan(0);
    for (const { count } of orders) {
      expect(count).toBeGreaterThanOrEqual(1);
      expect(count).toBeLessThanOrEqual(5);
    }
  });

  xtest('an exercise for later', () => {
    expect(toOrder(items)).toHaveLength(99);
  });
});
