const { sing } = require("./solution");

describe("Rabbits and bells", () => {
  test("most numbers are just numbers", () => {
    expect([1, 2, 3, 5, 7].map(sing)).toEqual([1, 2, 3, 5, 7]);
  });

  test("a rabbit hops on every fourth", () => {
    expect([4, 8, 16].map(sing)).toEqual(["rabbit", "rabbit", "rabbit"]);
  });

  test("a bell rings on every sixth", () => {
    expect([6, 18, 30].map(sing)).toEqual(["bell", "bell", "bell"]);
  });

  test("sometimes a rabbit rings a bell", () => {
    expect([12, 24, 120].map(sing)).toEqual(["rabbit bell", "rabbit bell", "rabbit bell"]);
  });
});
