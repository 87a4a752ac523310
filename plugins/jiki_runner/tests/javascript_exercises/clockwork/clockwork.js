// Calls a function again and again until it is stopped.
export const every = (milliseconds, action) => () => {};
