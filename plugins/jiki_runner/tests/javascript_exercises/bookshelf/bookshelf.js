// A shelf with a limited number of places.
export class Bookshelf {
  constructor(places) {}

  add(title) {}

  take(title) {}

  get titles() {
    return undefined;
  }
}

export class ShelfFullError extends Error {}
