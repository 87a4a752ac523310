const { draw } = require("./canvas");

describe("Draw a snowman", () => {
  test("the big ball lies on the snow", () => {
    expect(draw("solution.js")).toContainEqual({ left: 50, top: 75, radius: 20 });
  });

  test("the belly stands on the big ball", () => {
    expect(draw("solution.js")).toContainEqual({ left: 50, top: 41, radius: 14 });
  });

  test("the head sits on the belly", () => {
    expect(draw("solution.js")).toContainEqual({ left: 50, top: 18, radius: 9 });
  });

  test("three balls make a snowman", () => {
    expect(draw("solution.js").length).toBe(3);
  });
});
