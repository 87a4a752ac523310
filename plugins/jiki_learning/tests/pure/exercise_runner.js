// Runs the test files named on the command line, each a Jest-like list of tests, and prints one JSON line:
// [{"name": "group: test", "error": null | "message"}]

const { isDeepStrictEqual } = require("node:util");

const results = [];
let group = "";

globalThis.describe = (name, body) => {
  group = name;
  body();
};

globalThis.test = (name, body) => {
  let error = null;
  try {
    body();
  } catch (thrown) {
    error = String(thrown.message);
  }
  results.push({ name: `${group}: ${name}`, error });
};

function matchers(actual, isExpected) {
  const check = (holds, what) => {
    if (holds !== isExpected) throw new Error(`${JSON.stringify(actual)} ${isExpected ? "is not" : "is"} ${what}`);
  };
  return {
    toBe: (expected) => check(Object.is(actual, expected), JSON.stringify(expected)),
    toEqual: (expected) => check(isDeepStrictEqual(actual, expected), JSON.stringify(expected)),
    toContainEqual: (expected) =>
      check(actual.some((item) => isDeepStrictEqual(item, expected)), `a list with ${JSON.stringify(expected)}`),
    toThrow: () => {
      let thrown = null;
      try {
        actual();
      } catch (error) {
        thrown = error;
      }
      check(thrown !== null, `throwing (${thrown?.message})`);
    },
  };
}

globalThis.expect = (actual) => ({ ...matchers(actual, true), not: matchers(actual, false) });

for (const file of process.argv.slice(2)) require(file);
console.log(JSON.stringify(results));
