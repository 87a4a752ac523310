// How often each word occurs, in no particular order.
export const frequency = (text) => {};
