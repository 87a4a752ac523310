import { decode, encode } from './secret-note';

describe('secret note', () => {
  test('shifts letters', () => {
    expect(encode('abc XYZ', 3)).toBe('def ABC');
  });

  test('leaves the rest', () => {
    expect(encode('1, 2!', 9)).toBe('1, 2!');
  });

  describe('in both directions', () => {
    const texts = ['', 'Meet me at noon', 'Zebra'];
    texts.forEach((text) => {
      it(`brings ${text || 'nothing'} back`, () => {
        expect(encode('z', 1)).toBe('a');
        expect(decode(encode(text, 7), 7)).toBe(text);
      });
    });
  });
});
