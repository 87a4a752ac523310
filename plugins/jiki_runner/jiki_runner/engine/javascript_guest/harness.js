// Collects the tests, runs them one by one, and answers the host with JSON text. What the host calls is the object at
// the end; no solution can reach it, as nothing of it is ever handed to one.

const printedLimit = hostOptions.outputCharacters;
let printed = '';
let printedTotal = 0;
let isOutputCut = false;

const print = (text) => {
  const room = printedLimit - printedTotal;
  isOutputCut ||= text.length > room;
  const kept = room > 0 ? text.slice(0, room) : '';
  printed += kept;
  printedTotal += kept.length;
};

const takePrinted = () => {
  const taken = printed;
  printed = '';
  return taken;
};

const printLine = (...values) => {
  if (printedTotal < printedLimit) {
    print(`${values.map((value) => (typeof value === 'string' ? value : show(value))).join(' ')}\n`);
  } else {
    isOutputCut = true;
  }
};

// --- what the language of a browser has and the engine has not ---

const { waitAsync } = Atomics;
const SharedBuffer = SharedArrayBuffer;
const timers = new Set();
let timerCount = 0;
let failureOfTimer = null; // what a timer's callback threw, for the test that is running

const after = (delay, callback) => {
  const cell = new Int32Array(new SharedBuffer(4));
  waitAsync(cell, 0, 0, Math.max(1, Number(delay) || 0)).value.then(callback);
};
const startTimer = (callback, delay, repeats, given) => {
  timerCount += 1;
  const id = timerCount;
  timers.add(id);
  const fire = () => {
    if (!timers.has(id)) return;
    if (!repeats) timers.delete(id);
    try {
      Reflect.apply(callback, undefined, given);
    } catch (thrown) {
      failureOfTimer ??= { thrown };
    }
    if (repeats && timers.has(id)) after(delay, fire);
  };
  after(delay, fire);
  return id;
};
const stopTimer = (id) => void timers.delete(id);

const installGlobals = () => {
  const define = (name, value) => void (globalThis[name] = value);
  const logging = ['log', 'info', 'debug', 'warn', 'error', 'trace', 'dir', 'table'];
  define('console', Object.fromEntries(logging.map((name) => [name, (...values) => printLine(...values)])));
  define('setTimeout', (callback, delay, ...given) => startTimer(callback, delay, false, given));
  define('setInterval', (callback, delay, ...given) => startTimer(callback, delay, true, given));
  define('setImmediate', (callback, ...given) => startTimer(callback, 0, false, given));
  for (const name of ['clearTimeout', 'clearInterval', 'clearImmediate']) define(name, stopTimer);
  define('queueMicrotask', (callback) => void Promise.resolve().then(() => callback()));
  globalThis.__timer_manager = undefined; // the binding's own; it would give one program's timers to another
  delete globalThis.WebAssembly; // no exercise needs it, and every engine has had holes there
  delete globalThis.SharedArrayBuffer;
  delete globalThis.Atomics;
};

// --- modules ---

const factories = new Map(); // file name → { factory, isTest }
const modules = new Map(); // file name → its exports, while it runs and after
const texts = new Map(); // file name → its text; not of the tests

// What Node's modules of these names are mostly used for: reading a file of the exercise by its name.
const fileName = (path) => String(path).split('/').pop();
const textOfFile = (path) => {
  if (!texts.has(fileName(path))) throw new Error(`ENOENT: no such file or directory, open '${path}'`);
  return texts.get(fileName(path));
};
const fileModule = Object.freeze({
  readFileSync: (path) => textOfFile(path),
  existsSync: (path) => texts.has(fileName(path)),
});
const pathModule = Object.freeze({
  join: (...parts) => parts.map(String).filter(Boolean).join('/'),
  basename: (path, ending = '') => {
    const name = fileName(path);
    return ending && name.endsWith(ending) ? name.slice(0, -ending.length) : name;
  },
});
const builtInModules = new Map([
  ['node:fs', fileModule],
  ['fs', fileModule],
  ['node:path', pathModule],
  ['path', pathModule],
]);

const resolveModule = (specifier, from) => {
  const name = specifier.replace(/^\.\//, '').replace(/^\.\.\//, '');
  const found = [name, `${name}.js`, `${name}.mjs`, `${name}.json`].find((candidate) => factories.has(candidate));
  if (found === undefined || (!specifier.startsWith('.') && !specifier.startsWith('/'))) {
    throw new Error(`Cannot find module '${specifier}' imported from ${from}`);
  }
  if (factories.get(found).isTest && !factories.get(from).isTest) {
    throw new Error(`${from} cannot import the tests`);
  }
  return found;
};

const importName = (namespace, name, specifier) => {
  if (name in Object(namespace)) return namespace[name];
  if (name === 'default') return namespace; // a CommonJS module's own value
  throw new SyntaxError(`The requested module '${specifier}' does not provide an export named '${name}'`);
};

const loadModule = (name) => {
  if (modules.has(name)) return modules.get(name).exports;
  const module = { exports: {} };
  modules.set(name, module);
  const { factory, isTest } = factories.get(name);
  const exportAs = (getters) => {
    for (const key of Object.keys(getters)) {
      Object.defineProperty(module.exports, key, { __proto__: null, get: getters[key], enumerable: true });
    }
  };
  const exportAll = (namespace) => {
    const keys = Object.keys(namespace).filter((key) => key !== 'default' && !Object.hasOwn(module.exports, key));
    exportAs(Object.fromEntries(keys.map((key) => [key, () => namespace[key]])));
  };
  const require = (specifier) => {
    if (isTest && specifier === '@jest/globals') return testingApi;
    if (builtInModules.has(specifier)) return builtInModules.get(specifier);
    return loadModule(resolveModule(specifier, name));
  };
  const testing = isTest ? testingApi : {};
  factory(module, module.exports, require, require, exportAs, exportAll, importName, testing, '/exercise');
  return module.exports;
};

// --- describe, test, hooks ---

const makeGroup = (name, parent) => ({
  name,
  parent,
  beforeAll: [],
  beforeEach: [],
  afterEach: [],
  afterAll: [],
  isSkipped: Boolean(parent?.isSkipped),
  hasBegun: false,
  remaining: 0, // tests of it that have not ended, groups in it included
  failure: null, // what its beforeAll threw
});
const rootGroup = makeGroup('', null);
let currentGroup = rootGroup;
const tests = [];
let isFocused = false;

const describeGroup = (name, body, isSkipped = false) => {
  const outer = currentGroup;
  currentGroup = makeGroup(String(name), outer);
  currentGroup.isSkipped ||= isSkipped;
  try {
    body();
  } finally {
    currentGroup = outer;
  }
};

const groupPath = (group) => (group.parent === null ? [] : [...groupPath(group.parent), group.name]);

const addTest = (name, body, { isSkipped = false, isOnly = false } = {}) => {
  const path = groupPath(currentGroup);
  const base = [...path, String(name)].join(' > ');
  const sameName = tests.filter((test) => test.base === base).length;
  isFocused ||= isOnly;
  tests.push({
    base,
    id: sameName ? `${base} (${sameName + 1})` : base,
    name: String(name),
    group: path.join(' > '),
    body,
    groupOf: currentGroup,
    isSkipped: isSkipped || currentGroup.isSkipped || body === undefined,
    isOnly,
    file: currentFile,
    line: placesOf(new Error()).test_line,
  });
  for (let group = currentGroup; group !== null; group = group.parent) group.remaining += 1;
};

const fillIn = (template, row) => {
  let index = 0;
  return String(template).replace(/%[sdifjop%]/g, (mark) => {
    if (mark === '%%') return '%';
    const value = row[index];
    index += 1;
    return typeof value === 'string' && mark === '%s' ? value : show(value);
  });
};
const each = (add) => (table) => (name, body) => {
  for (const entry of table) {
    const row = Array.isArray(entry) ? entry : [entry];
    add(fillIn(name, row), () => body(...row));
  }
};

const testingApi = (() => {
  const withVariants = (add, skip, only) => Object.assign(add, { skip, only, each: each(add) });
  const test = (name, body) => addTest(name, body);
  const skippedTest = (name, body) => addTest(name, body, { isSkipped: true });
  withVariants(test, skippedTest, (name, body) => addTest(name, body, { isOnly: true }));
  test.todo = (name) => addTest(name, undefined);
  const describe = (name, body) => describeGroup(name, body);
  const skippedGroup = (name, body) => describeGroup(name, body, true);
  withVariants(describe, skippedGroup, describe);
  const hook = (kind) => (body) => void currentGroup[kind].push(body);
  return Object.freeze({
    describe,
    xdescribe: skippedGroup,
    test,
    it: test,
    xtest: skippedTest,
    xit: skippedTest,
    expect: Object.freeze(expect),
    jest: Object.freeze({ fn: makeMock }),
    beforeAll: hook('beforeAll'),
    beforeEach: hook('beforeEach'),
    afterEach: hook('afterEach'),
    afterAll: hook('afterAll'),
  });
})();

// --- running ---

let currentFile = '';

const placesOf = (thrown) => {
  const stack = isError(thrown) ? textOf(thrown, 'stack') : '';
  const places = [];
  let testLine = 0;
  for (const line of stack.split('\n').slice(0, 60)) {
    const match = /^\s*at (?:(.*?) \()?([\w.-]+):(\d+):\d+\)?$/.exec(line);
    const known = match && factories.get(match[2]);
    if (!known) continue;
    if (known.isTest) testLine ||= Number(match[3]);
    else places.unshift([match[2], Number(match[3]), match[1] ?? '']);
  }
  return { places: places.slice(-12), test_line: testLine };
};

const explain = (thrown) => {
  if (thrown instanceof ExpectationFailed) {
    const { expected, actual, message } = thrown;
    return { status: 'failed', message, expected, actual, ...placesOf(thrown), places: [] };
  }
  return { status: 'error', error_type: clip(nameOfThrown(thrown)), message: showThrown(thrown), ...placesOf(thrown) };
};

const chainOf = (group) => (group === null ? [] : [...chainOf(group.parent), group]);

// A body that takes an argument is given Jest's `done`.
const callBody = (body) =>
  body.length === 0 ? body() : new Promise((resolve, reject) => body((error) => (error ? reject(error) : resolve())));

const runTest = async (test) => {
  const chain = chainOf(test.groupOf);
  for (const group of chain) {
    if (!group.hasBegun) {
      group.hasBegun = true;
      try {
        for (const hook of group.beforeAll) await callBody(hook);
      } catch (thrown) {
        group.failure = { thrown };
      }
    }
    if (group.failure) throw group.failure.thrown;
  }
  try {
    for (const group of chain) for (const hook of group.beforeEach) await callBody(hook);
    await callBody(test.body);
  } finally {
    for (const group of chain.toReversed()) for (const hook of group.afterEach) await callBody(hook);
  }
};

const endGroups = async (test) => {
  for (const group of chainOf(test.groupOf).toReversed()) {
    group.remaining -= 1;
    if (group.remaining === 0 && group.hasBegun) for (const hook of group.afterAll) await callBody(hook);
  }
};

const api = {
  define: (name, isTest, factory, text) => {
    factories.set(name, { factory, isTest });
    if (!isTest) texts.set(name, text);
  },

  // Run the test files' top level, which imports the solution: the announcement of all tests, or why there is none.
  load(names) {
    for (const name of names.split('\n')) {
      currentFile = name;
      try {
        loadModule(name);
      } catch (thrown) {
        const { places } = placesOf(thrown);
        const isImport = thrown instanceof SyntaxError || textOf(thrown, 'message').startsWith('Cannot find module');
        return JSON.stringify({
          event: 'broken',
          error_type: clip(nameOfThrown(thrown)),
          message: clip(isError(thrown) ? textOf(thrown, 'message') : showThrown(thrown)),
          places,
          is_solution: places.length > 0 || isImport,
          output: takePrinted(),
        });
      }
    }
    const announced = tests.map(({ id, name, group, file, line }) => ({ id, name, group, file, line, task: null }));
    return JSON.stringify({ event: 'collected', tests: announced });
  },

  // Run test number `index`; its result.
  async run(index) {
    const test = tests[index];
    if (test.isSkipped || (isFocused && !test.isOnly)) {
      return JSON.stringify({ event: 'finished', id: test.id, status: 'skipped', message: '', output: takePrinted() });
    }
    const startedAt = Date.now();
    let details = { status: 'passed' };
    failureOfTimer = null;
    forgetFailure();
    try {
      await runTest(test);
      if (failureOfTimer) throw failureOfTimer.thrown;
      throwSwallowedFailure();
      await endGroups(test);
    } catch (thrown) {
      details = explain(thrown);
    }
    const duration = Date.now() - startedAt;
    return JSON.stringify({ event: 'finished', id: test.id, ...details, duration_ms: duration, output: takePrinted() });
  },

  takePrinted,
  isOutputCut: () => isOutputCut,
};

installGlobals();
harden();
return api;
