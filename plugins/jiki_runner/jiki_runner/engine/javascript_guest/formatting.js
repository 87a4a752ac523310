// Values as text for a person: what console.log prints, and what a failing test shows as expected and actual.
// A solution's own objects are looked at, never asked: no getter and no toString of theirs is called.

const maximumText = 2000;
const maximumDepth = 4;
const maximumItems = 50;

const clip = (text) => (text.length <= maximumText ? text : `${text.slice(0, maximumText - 1)}…`);

const quoteString = (text) => `'${JSON.stringify(text).slice(1, -1).replace(/\\"/g, '"').replace(/'/g, "\\'")}'`;

const dataOf = (object, key) => {
  const descriptor = Object.getOwnPropertyDescriptor(object, key);
  if (descriptor === undefined) return '[none]';
  return 'value' in descriptor ? descriptor.value : '[accessor]';
};

const classNameOf = (object) => {
  for (let holder = object; holder !== null; holder = Object.getPrototypeOf(holder)) {
    const constructor =
      Object.getOwnPropertyDescriptor(holder, 'constructor')?.value ?? overridable.get(holder)?.get('constructor');
    if (typeof constructor === 'function') {
      const name = Object.getOwnPropertyDescriptor(constructor, 'name')?.value;
      return typeof name === 'string' ? name : '';
    }
    if (holder === Object.prototype) return 'Object';
    if (holder === Error.prototype) return 'Error';
  }
  return '[null prototype]';
};

const hasBrand = (method, object) => {
  try {
    method.call(object);
    return true;
  } catch {
    return false;
  }
};
const sizeOfMap = Object.getOwnPropertyDescriptor(Map.prototype, 'size').get;
const sizeOfSet = Object.getOwnPropertyDescriptor(Set.prototype, 'size').get;
const sourceOfPattern = Object.getOwnPropertyDescriptor(RegExp.prototype, 'source').get;
const tagOfTyped = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Int8Array.prototype), Symbol.toStringTag).get;

const isMap = (value) => hasBrand(sizeOfMap, value);
const isSet = (value) => hasBrand(sizeOfSet, value);
const isDate = (value) => hasBrand(Date.prototype.getTime, value);
const isPattern = (value) => value !== RegExp.prototype && hasBrand(sourceOfPattern, value);
const isTyped = (value) => tagOfTyped.call(value) !== undefined;

const show = (value, depth = 0, seen = []) => {
  switch (typeof value) {
    case 'string':
      return quoteString(value);
    case 'bigint':
      return `${value}n`;
    case 'symbol':
      return Symbol.prototype.toString.call(value);
    case 'function': {
      const name = dataOf(value, 'name');
      return `[Function${typeof name === 'string' && name ? `: ${name}` : ''}]`;
    }
    case 'object':
      try {
        return value === null ? 'null' : showObject(value, depth, seen);
      } catch {
        return '[object]'; // a proxy that refuses to be looked at
      }
    default:
      return Object.is(value, -0) ? '-0' : String(value);
  }
};

const inBraces = (members) => (members.length ? `{ ${members.join(', ')} }` : '{}');

const showObject = (object, depth, seen) => {
  if (seen.includes(object)) return '[Circular]';
  const inner = (value) => show(value, depth + 1, [...seen, object]);
  const name = classNameOf(object);
  const label = name === 'Object' || name === 'Array' ? '' : `${name} `;
  if (object instanceof Error) return `[${showError(object)}]`;
  if (isDate(object)) {
    const time = Date.prototype.getTime.call(object);
    return Number.isNaN(time) ? 'Invalid Date' : Date.prototype.toISOString.call(object);
  }
  if (isPattern(object)) return RegExp.prototype.toString.call(object);
  if (depth >= maximumDepth) return Array.isArray(object) ? '[Array]' : `[${name || 'Object'}]`;
  if (Array.isArray(object) || isTyped(object)) {
    const length = Math.min(Number(isTyped(object) ? object.length : dataOf(object, 'length')), maximumItems);
    const items = Array.from({ length }, (_, index) =>
      Object.hasOwn(object, index) ? inner(dataOf(object, index)) : '<empty>',
    );
    if (dataOf(object, 'length') > maximumItems) items.push('…');
    return `${label}[${items.join(', ')}]`;
  }
  if (isMap(object)) {
    const entries = [...Map.prototype.entries.call(object)].slice(0, maximumItems);
    return label + inBraces(entries.map(([key, value]) => `${inner(key)} => ${inner(value)}`));
  }
  if (isSet(object)) {
    return label + inBraces([...Set.prototype.values.call(object)].slice(0, maximumItems).map(inner));
  }
  const keys = Reflect.ownKeys(object).filter((key) => Object.getOwnPropertyDescriptor(object, key)?.enumerable);
  const members = keys.slice(0, maximumItems).map((key) => {
    const shown = typeof key === 'symbol' ? `[${show(key)}]` : /^[A-Za-z_$][\w$]*$/.test(key) ? key : quoteString(key);
    return `${shown}: ${inner(dataOf(object, key))}`;
  });
  if (keys.length > maximumItems) members.push('…');
  return label + inBraces(members);
};

// What an error says. Its name and message may be anything a solution put there.
const textOf = (error, key) => {
  try {
    const text = error[key];
    return typeof text === 'string' ? text : '';
  } catch {
    return '';
  }
};
const showError = (error) => {
  const name = textOf(error, 'name') || classNameOf(error) || 'Error';
  const message = textOf(error, 'message');
  return message ? `${name}: ${message}` : name;
};
const isError = (value) => typeof value === 'object' && value !== null && value instanceof Error;
const nameOfThrown = (thrown) => (isError(thrown) ? textOf(thrown, 'name') || 'Error' : typeof thrown);
const showThrown = (thrown) => clip(isError(thrown) ? showError(thrown) : `thrown: ${show(thrown)}`);
