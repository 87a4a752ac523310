// Greets somebody by name, or the whole world.
export const greet = (name) => {
  throw new Error('Remove this line and greet somebody');
};
