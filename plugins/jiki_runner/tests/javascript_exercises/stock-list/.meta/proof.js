export const toOrder = (items) =>
  items
    .map(({ name, stock, minimum }) => ({ name, count: minimum - stock }))
    .filter(({ count }) => count > 0)
    .toSorted((a, b) => b.count - a.count);
