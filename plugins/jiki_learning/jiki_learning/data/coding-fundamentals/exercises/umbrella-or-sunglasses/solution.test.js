const { whatToTake } = require("./solution");

describe("Umbrella or sunglasses?", () => {
  test("an umbrella when it rains", () => {
    expect(whatToTake("rain")).toBe("umbrella");
  });

  test("sunglasses when the sun shines", () => {
    expect(whatToTake("sun")).toBe("sunglasses");
  });

  test("nothing when there are only clouds", () => {
    expect(whatToTake("clouds")).toBe("nothing");
  });

  test("nothing when it snows frogs", () => {
    expect(whatToTake("frogs")).toBe("nothing");
  });
});
