// Tells the people in a line, one after the other, that it is their turn.
export const serve = async (people, tell) => {};
