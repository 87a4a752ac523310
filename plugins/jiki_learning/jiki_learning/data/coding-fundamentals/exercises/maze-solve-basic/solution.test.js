const { walk } = require("./maze");

const MAZE = [
  "#######",
  "#S..#.#",
  "###.#.#",
  "#...#.#",
  "#.###.#",
  "#....E#",
  "#######",
];

describe("Find the way out", () => {
  test("you never walk into a wall", () => {
    expect(() => walk("solution.js", MAZE)).not.toThrow();
  });

  test("you reach the exit", () => {
    expect(walk("solution.js", MAZE).reachedExit).toBe(true);
  });
});
