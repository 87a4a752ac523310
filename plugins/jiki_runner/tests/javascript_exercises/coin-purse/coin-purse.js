// What is left in a purse after paying. Amounts are in cents.
export const change = (paid, price, coins) => undefined;
