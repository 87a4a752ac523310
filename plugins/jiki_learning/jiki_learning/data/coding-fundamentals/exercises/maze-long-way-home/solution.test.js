const { walk } = require("./maze");

const MAZE = [
  "#########",
  "#S......#",
  "#######.#",
  "#.....#.#",
  "#.###.#.#",
  "#.#E#.#.#",
  "#.#...#.#",
  "#.#####.#",
  "#.......#",
  "#########",
];

describe("The long way home", () => {
  test("you never walk into a wall", () => {
    expect(() => walk("solution.js", MAZE)).not.toThrow();
  });

  test("you arrive at home", () => {
    expect(walk("solution.js", MAZE).reachedExit).toBe(true);
  });
});
