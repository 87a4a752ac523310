const { work, timesWritten } = require("./fence");

describe("Paint the fence", () => {
  test("all 30 boards are blue", () => {
    expect(work("solution.js", 30)).toBe(30);
  });

  test("you wrote paint() only once", () => {
    expect(timesWritten("solution.js", "paint()")).toBe(1);
  });
});
