export const frequency = (text) => {
  const words = text.toLowerCase().match(/\p{L}+/gu) ?? [];
  return words.reduce((counts, word) => counts.set(word, (counts.get(word) ?? 0) + 1), new Map());
};
