export const change = (paid, price, coins) => {
  if (paid < price) throw new RangeError('that is not enough');
  let rest = paid - price;
  return [...coins]
    .sort((a, b) => b - a)
    .flatMap((coin) => {
      const count = Math.floor(rest / coin);
      rest -= count * coin;
      return Array(count).fill(coin);
    });
};
