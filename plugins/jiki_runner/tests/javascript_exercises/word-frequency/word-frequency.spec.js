import { frequency } from './word-frequency';

describe('frequency', () => {
  test('counts nothing in nothing', () => {
    expect(frequency('')).toEqual(new Map());
  });

  test('counts words without regard to case', () => {
    expect(frequency('One fish, two fish. FISH!')).toEqual(new Map([['fish', 3], ['two', 1], ['one', 1]]));
  });

  test('knows letters of all alphabets', () => {
    expect(frequency('été été').get('été')).toBe(2);
  });

  test('does not count what is not there', () => {
    const counts = frequency('a b');
    expect(counts.has('c')).toBeFalsy();
    expect(counts.size).toBeLessThan(3);
    expect(new Set(counts.keys())).toEqual(new Set(['b', 'a']));
  });
});
