const shift = (text, key) =>
  text.replace(/[a-z]/gi, (letter) => {
    const start = letter < 'a' ? 65 : 97;
    return String.fromCharCode(((((letter.charCodeAt(0) - start + key) % 26) + 26) % 26) + start);
  });

export const encode = (text, key) => shift(text, key);
export const decode = (text, key) => shift(text, -key);
