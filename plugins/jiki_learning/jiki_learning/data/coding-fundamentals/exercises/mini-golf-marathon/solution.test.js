const { play } = require("./golf");

describe("The mini-golf marathon", () => {
  test("a course of three holes", () => {
    expect(play("solution.js", [3, 1, 4])).toBe(3);
  });

  test("a course of one hole", () => {
    expect(play("solution.js", [9])).toBe(1);
  });

  test("a course of nine holes", () => {
    expect(play("solution.js", [2, 7, 1, 8, 2, 8, 1, 8, 2])).toBe(9);
  });
});
