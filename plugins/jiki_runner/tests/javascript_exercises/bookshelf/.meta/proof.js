export class ShelfFullError extends Error {
  constructor(title) {
    super(`no place for ${title}`);
    this.name = 'ShelfFullError';
    this.title = title;
  }
}

export class Bookshelf {
  #titles = [];

  constructor(places) {
    this.places = places;
  }

  add(title) {
    if (this.#titles.length === this.places) throw new ShelfFullError(title);
    this.#titles.push(title);
    return this;
  }

  take(title) {
    const index = this.#titles.indexOf(title);
    return index < 0 ? null : this.#titles.splice(index, 1)[0];
  }

  get titles() {
    return [...this.#titles];
  }
}
