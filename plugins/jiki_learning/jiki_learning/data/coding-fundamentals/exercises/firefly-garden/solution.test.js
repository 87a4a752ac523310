const { glow } = require("./garden");

describe("The firefly garden", () => {
  test("the fireflies make a chessboard", () => {
    expect(glow("solution.js")).toEqual([
      "*.*.*.*.",
      ".*.*.*.*",
      "*.*.*.*.",
      ".*.*.*.*",
      "*.*.*.*.",
      ".*.*.*.*",
      "*.*.*.*.",
      ".*.*.*.*",
    ]);
  });
});
