// `expect(actual).toX(expected)`: the part of Jest that course tests use, with Jest's meaning.

class ExpectationFailed extends Error {
  constructor(message, expected, actual) {
    super(message);
    this.expected = expected;
    this.actual = actual;
  }
}

const kindOf = (object) => {
  if (Array.isArray(object)) return 'array';
  if (isMap(object)) return 'map';
  if (isSet(object)) return 'set';
  if (isDate(object)) return 'date';
  if (isPattern(object)) return 'pattern';
  if (isTyped(object)) return 'typed';
  if (object instanceof Error) return 'error';
  return 'object';
};

// Deep equality. Not strict: undefined members do not count, and neither does the class.
const equals = (left, right, isStrict, pairs = []) => {
  if (Object.is(left, right)) return true;
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) return false;
  if (pairs.some(([a, b]) => a === left && b === right)) return true; // a cycle, equal so far
  const inner = (a, b) => equals(a, b, isStrict, [...pairs, [left, right]]);
  const kind = kindOf(left);
  if (kind !== kindOf(right)) return false;
  if (isStrict && Object.getPrototypeOf(left) !== Object.getPrototypeOf(right)) return false;
  switch (kind) {
    case 'date':
      return Object.is(Date.prototype.getTime.call(left), Date.prototype.getTime.call(right));
    case 'pattern':
      return RegExp.prototype.toString.call(left) === RegExp.prototype.toString.call(right);
    case 'error':
      return showError(left) === showError(right);
    case 'map':
      return equalCollections([...Map.prototype.entries.call(left)], [...Map.prototype.entries.call(right)], inner);
    case 'set':
      return equalCollections([...Set.prototype.values.call(left)], [...Set.prototype.values.call(right)], inner);
    case 'array':
    case 'typed':
      if (left.length !== right.length) return false;
  }
  const keys = (object) =>
    Reflect.ownKeys(object).filter(
      (key) => Object.getOwnPropertyDescriptor(object, key)?.enumerable && (isStrict || object[key] !== undefined),
    );
  const leftKeys = keys(left);
  if (leftKeys.length !== keys(right).length) return false;
  return leftKeys.every((key) => Object.hasOwn(right, key) && inner(left[key], right[key]));
};

// Maps and sets: the same members in any order.
const equalCollections = (left, right, inner) => {
  if (left.length !== right.length) return false;
  const rest = [...right];
  return left.every((member) => {
    const index = rest.findIndex((other) => inner(member, other));
    if (index >= 0) rest.splice(index, 1);
    return index >= 0;
  });
};

const matchesSubset = (actual, expected) =>
  typeof expected === 'object' && expected !== null && !Array.isArray(expected)
    ? typeof actual === 'object' &&
      actual !== null &&
      Reflect.ownKeys(expected).every((key) => key in actual && matchesSubset(actual[key], expected[key]))
    : Array.isArray(expected)
      ? Array.isArray(actual) &&
        actual.length === expected.length &&
        expected.every((member, index) => matchesSubset(actual[index], member))
      : equals(actual, expected, false);

const matchesText = (text, expected) =>
  typeof expected === 'string' ? text.includes(expected) : new RegExp(expected).exec(text) !== null;

const isThrownAsExpected = (thrown, expected) => {
  if (expected === undefined) return true;
  if (typeof expected === 'function') return thrown instanceof expected;
  const message = isError(thrown) ? textOf(thrown, 'message') : String(thrown);
  return isError(expected) ? message === textOf(expected, 'message') : matchesText(message, expected);
};

const requireNumbers = (...values) => {
  for (const value of values) {
    if (typeof value !== 'number' && typeof value !== 'bigint') {
      throw new ExpectationFailed(`${show(value)} is not a number`, 'a number', show(value));
    }
  }
};

const membersOf = (value) => (value === null || value === undefined ? [] : [...value]);

const compareNumbers = (holds, label) => (actual, expected) => {
  requireNumbers(actual, expected);
  return [holds(actual, expected), `${label} ${show(expected)}`];
};

// Each matcher: (actual, ...arguments) → [does it hold, what was expected, what there was instead].
const matchers = {
  toBe: (actual, expected) => [Object.is(actual, expected), show(expected)],
  toEqual: (actual, expected) => [equals(actual, expected, false), show(expected)],
  toStrictEqual: (actual, expected) => [equals(actual, expected, true), show(expected)],
  toMatchObject: (actual, expected) => [matchesSubset(actual, expected), `an object with ${show(expected)}`],
  toBeTruthy: (actual) => [Boolean(actual), 'a truthy value'],
  toBeFalsy: (actual) => [!actual, 'a falsy value'],
  toBeNull: (actual) => [actual === null, 'null'],
  toBeUndefined: (actual) => [actual === undefined, 'undefined'],
  toBeDefined: (actual) => [actual !== undefined, 'anything but undefined'],
  toBeNaN: (actual) => [Number.isNaN(actual), 'NaN'],
  toBeInstanceOf: (actual, expected) => [actual instanceof expected, `an instance of ${dataOf(expected, 'name')}`],
  toBeCloseTo(actual, expected, digits = 2) {
    requireNumbers(actual, expected);
    const isClose = actual === expected || Math.abs(expected - actual) < 10 ** -digits / 2;
    return [isClose, `about ${show(expected)}`];
  },
  toBeGreaterThan: compareNumbers((actual, expected) => actual > expected, 'more than'),
  toBeGreaterThanOrEqual: compareNumbers((actual, expected) => actual >= expected, 'at least'),
  toBeLessThan: compareNumbers((actual, expected) => actual < expected, 'less than'),
  toBeLessThanOrEqual: compareNumbers((actual, expected) => actual <= expected, 'at most'),
  toContain(actual, member) {
    if (typeof actual === 'string') return [actual.includes(member), `something with ${show(member)} in it`];
    const isThere = membersOf(actual).some((each) => each === member || Object.is(each, member));
    return [isThere, `something with ${show(member)} in it`];
  },
  toContainEqual(actual, member) {
    const isThere = membersOf(actual).some((each) => equals(each, member, false));
    return [isThere, `something with ${show(member)} in it`];
  },
  toHaveLength(actual, length) {
    const actualLength = actual?.length;
    return [actualLength === length, `length ${length}`, `length ${show(actualLength)}: ${show(actual)}`];
  },
  toHaveProperty(actual, path, ...value) {
    const keys = Array.isArray(path) ? path : String(path).split('.');
    let found = actual;
    for (const key of keys) {
      if (found === null || found === undefined || !(key in Object(found))) {
        return [false, `a property ${show(path)}`];
      }
      found = found[key];
    }
    if (value.length === 0) return [true, `a property ${show(path)}`];
    return [equals(found, value[0], false), show(value[0]), show(found)];
  },
  toMatch(actual, expected) {
    const isMatch = typeof actual === 'string' && matchesText(actual, expected);
    return [isMatch, `a string matching ${show(expected)}`];
  },
  toThrow(actual, expected) {
    if (typeof actual !== 'function') {
      throw new ExpectationFailed('expect(…).toThrow() needs a function', 'a function', show(actual));
    }
    const label = expected === undefined ? 'an error' : `an error: ${show(expected)}`;
    const failureBefore = firstFailure;
    try {
      actual();
    } catch (thrown) {
      if (thrown === firstFailure) firstFailure = failureBefore; // a test of an expectation
      return [isThrownAsExpected(thrown, expected), label, showThrown(thrown)];
    }
    return [false, label, 'nothing was thrown'];
  },
  toHaveBeenCalled: (actual) => [callsOf(actual).length > 0, 'at least one call', 'no call'],
  toHaveBeenCalledTimes(actual, count) {
    const { length } = callsOf(actual);
    return [length === count, `${count} calls`, `${length} calls`];
  },
  toHaveBeenCalledWith: (actual, ...wanted) => [
    callsOf(actual).some((call) => equals(call, wanted, false)),
    `a call with ${show(wanted)}`,
    `calls: ${show(callsOf(actual))}`,
  ],
};
matchers.toThrowError = matchers.toThrow;

const judge = (name, actual, wanted, isNegated, unwrapThrown) => {
  const judged =
    unwrapThrown && name.startsWith('toThrow')
      ? [isThrownAsExpected(actual, wanted[0]), 'an error', showThrown(actual)]
      : matchers[name](actual, ...wanted);
  const [holds, expected, instead = show(actual)] = judged;
  if (holds === isNegated) {
    const wantedText = clip(isNegated ? `not ${expected}` : expected);
    const actualText = clip(instead);
    const failure = new ExpectationFailed(`expected ${wantedText}, got ${actualText}`, wantedText, actualText);
    firstFailure ??= failure;
    throw failure;
  }
};

// An expectation in a callback may fail inside the solution, which may catch what it throws: the failure stands.
let firstFailure = null;
const forgetFailure = () => void (firstFailure = null);
const throwSwallowedFailure = () => {
  if (firstFailure !== null) throw firstFailure;
};

const expect = (actual) => {
  const expectation = (isNegated) =>
    Object.fromEntries(
      Object.keys(matchers).map((name) => [
        name,
        (...wanted) => judge(name, actual, wanted, isNegated, false),
      ]),
    );
  const settled = (isNegated, wantsRejection) =>
    Object.fromEntries(
      Object.keys(matchers).map((name) => [
        name,
        async (...wanted) => {
          let value;
          let isRejected = false;
          try {
            value = await (typeof actual === 'function' ? actual() : actual);
          } catch (thrown) {
            value = thrown;
            isRejected = true;
          }
          if (isRejected !== wantsRejection) {
            const expected = wantsRejection ? 'a rejected promise' : 'a resolved promise';
            const got = isRejected ? showThrown(value) : show(value);
            throw new ExpectationFailed(`expected ${expected}, got ${clip(got)}`, expected, clip(got));
          }
          judge(name, value, wanted, isNegated, wantsRejection);
        },
      ]),
    );
  return {
    ...expectation(false),
    not: expectation(true),
    resolves: { ...settled(false, false), not: settled(true, false) },
    rejects: { ...settled(false, true), not: settled(true, true) },
  };
};

// `jest.fn()`: a function that remembers its calls. The calls are kept here, out of the solution's reach.
const recordedCalls = new WeakMap();

const callsOf = (mock) => {
  const calls = recordedCalls.get(mock);
  if (calls === undefined) throw new ExpectationFailed('this matcher needs a jest.fn()', 'a jest.fn()', show(mock));
  return calls;
};

const makeMock = (implementation = () => undefined) => {
  const calls = [];
  let current = implementation;
  const mock = function (...given) {
    calls.push(given);
    return Reflect.apply(current, this, given);
  };
  recordedCalls.set(mock, calls);
  const setting = (make) => (value) => {
    current = make(value);
    return mock;
  };
  Object.defineProperties(mock, {
    mock: { get: () => ({ calls: calls.map((call) => [...call]) }) },
    mockImplementation: { value: setting((given) => given) },
    mockReturnValue: { value: setting((value) => () => value) },
    mockResolvedValue: { value: setting((value) => async () => value) },
    mockClear: { value: () => calls.splice(0) },
  });
  return Object.freeze(mock);
};
