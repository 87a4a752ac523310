// What has to be ordered: items below their minimum, most urgent first.
export const toOrder = (items) => items;
