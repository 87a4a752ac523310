// Freezes the language itself before a solution runs: what a test, or the code that judges it, takes from the language
// (Array, Promise, JSON…) is then what it always was, whatever the solution tries.
//
// Freezing has one known side effect: an object that inherits a frozen property cannot be assigned one of that name.
// Where programs do that in earnest (`this.name = …` in an error class, `Thing.prototype.toString = …`) the property
// becomes an accessor whose setter defines it on the object that is assigned to.

const hiddenIntrinsics = () => {
  const prototypeOf = Object.getPrototypeOf;
  const iterators = [
    [][Symbol.iterator](),
    ''[Symbol.iterator](),
    new Map()[Symbol.iterator](),
    new Set()[Symbol.iterator](),
    'a'.matchAll(/a/g),
    [].values().map((value) => value),
    Iterator.from({ next() {} }),
  ];
  const functions = [function* () {}, async function () {}, async function* () {}, () => {}, class {}];
  const objects = [(function () { return arguments; })(), new Int8Array(0), prototypeOf(Int8Array)];
  if (typeof Intl === 'object') {
    const segments = new Intl.Segmenter().segment('a');
    objects.push(segments, segments[Symbol.iterator]());
  }
  return [...iterators, ...functions, ...objects].flatMap((value) => [value, prototypeOf(value)]);
};

const collectIntrinsics = (roots) => {
  const seen = new Set();
  const waiting = [...roots];
  while (waiting.length) {
    const value = waiting.pop();
    if ((typeof value !== 'object' && typeof value !== 'function') || value === null || seen.has(value)) continue;
    seen.add(value);
    waiting.push(Object.getPrototypeOf(value));
    for (const descriptor of Object.values(Object.getOwnPropertyDescriptors(value))) {
      waiting.push(descriptor.value, descriptor.get, descriptor.set);
    }
    for (const symbol of Object.getOwnPropertySymbols(value)) {
      const descriptor = Object.getOwnPropertyDescriptor(value, symbol);
      waiting.push(descriptor.value, descriptor.get, descriptor.set);
    }
  }
  return seen;
};

// The prototypes whose every property programs override by assignment, and those where it is only these.
const commonlyAssigned = new Set(['constructor', 'toString', 'valueOf', 'toJSON', 'name', 'message', 'length']);
const isOverriddenFreely = (holder) =>
  holder === Object.prototype || holder === Function.prototype || holder === Error.prototype || holder instanceof Error;

// holder → key → the value behind an accessor that was made here
const overridable = new WeakMap();

const allowOverriding = (holder, key, descriptor) => {
  const { value } = descriptor;
  if (!overridable.has(holder)) overridable.set(holder, new Map());
  overridable.get(holder).set(key, value);
  const define = Object.defineProperty;
  define(holder, key, {
    __proto__: null,
    get: () => value,
    set: function (assigned) {
      if (this === holder) throw new TypeError(`Cannot assign to read only property '${String(key)}'`);
      define(this, key, { __proto__: null, value: assigned, writable: true, enumerable: true, configurable: true });
    },
    enumerable: descriptor.enumerable,
    configurable: false,
  });
};

const harden = () => {
  const prototypes = new Set();
  const intrinsics = collectIntrinsics([globalThis, ...hiddenIntrinsics()]);
  for (const value of intrinsics) {
    if (typeof value === 'function') prototypes.add(Object.getOwnPropertyDescriptor(value, 'prototype')?.value);
  }
  for (const holder of intrinsics) {
    for (const key of Reflect.ownKeys(holder)) {
      const descriptor = Object.getOwnPropertyDescriptor(holder, key);
      const isAssignable = prototypes.has(holder) && descriptor.writable && descriptor.configurable;
      if (isAssignable && (isOverriddenFreely(holder) || commonlyAssigned.has(key))) {
        allowOverriding(holder, key, descriptor);
      }
    }
  }
  for (const holder of intrinsics) Object.freeze(holder);
};
