const { isSecretKnock } = require("./solution");

describe("The secret knock", () => {
  test("three beats, the same both ways", () => {
    expect(isSecretKnock(".-.")).toBe(true);
  });

  test("six beats, the same both ways", () => {
    expect(isSecretKnock("-....-")).toBe(true);
  });

  test("backwards it sounds different", () => {
    expect(isSecretKnock(".--")).toBe(false);
  });

  test("different only in the middle", () => {
    expect(isSecretKnock(".-..")).toBe(false);
  });

  test("two beats are not enough", () => {
    expect(isSecretKnock("--")).toBe(false);
  });

  test("that was the wind", () => {
    expect(isSecretKnock("")).toBe(false);
  });
});
