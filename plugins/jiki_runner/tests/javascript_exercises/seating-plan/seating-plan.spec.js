import seat, { seat as sameSeat } from './seating-plan';
import { rows } from './rooms';

describe('seat', () => {
  test('knows the first and the last seat', () => {
    expect(seat(1)).toEqual({ row: 'A', place: 1 });
    expect(seat(9)).toStrictEqual({ row: 'B', place: 5 });
  });

  test('knows no more seats than there are', () => {
    const total = rows.reduce((sum, { places }) => sum + places, 0);
    expect(seat(total)).toBeDefined();
    expect(seat(total + 1)).toBeUndefined();
  });

  test('has a default and a name', () => {
    expect(sameSeat).toBe(seat);
  });

  test('describes a seat by row', () => {
    expect(seat(5)).toMatchObject({ row: 'B' });
    expect(seat(5)).toHaveProperty('place', 1);
  });
});
