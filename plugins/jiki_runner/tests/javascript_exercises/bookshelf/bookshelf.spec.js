import { Bookshelf, ShelfFullError } from './bookshelf';

describe('Bookshelf', () => {
  let shelf;

  beforeEach(() => {
    shelf = new Bookshelf(2);
  });

  test('starts empty', () => {
    expect(shelf.titles).toEqual([]);
    expect(shelf).toBeInstanceOf(Bookshelf);
  });

  test('keeps books in their order', () => {
    shelf.add('Emma').add('Ulysses');
    expect(shelf.titles).toEqual(['Emma', 'Ulysses']);
    expect(shelf.titles).toContain('Emma');
  });

  test('gives a book back once', () => {
    shelf.add('Emma');
    expect(shelf.take('Emma')).toBe('Emma');
    expect(shelf.take('Emma')).toBeNull();
  });

  test('has no more than its places', () => {
    shelf.add('Emma').add('Ulysses');
    expect(() => shelf.add('Faust')).toThrow(ShelfFullError);
    expect(() => shelf.add('Faust')).toThrow(new ShelfFullError('Faust'));
  });

  test('does not show its inside', () => {
    shelf.add('Emma');
    shelf.titles.push('Faust');
    expect(shelf.titles).toHaveLength(1);
  });
});
