const { play } = require("./golf");

describe("A ball for every hole", () => {
  test("a short putt of 3", () => {
    expect(play("solution.js", 3)).toBe(3);
  });

  test("a fair shot of 7", () => {
    expect(play("solution.js", 7)).toBe(7);
  });

  test("a long drive of 12", () => {
    expect(play("solution.js", 12)).toBe(12);
  });
});
