import { rows } from './rooms';

export const seat = (number) => {
  let rest = number;
  for (const { name, places } of rows) {
    if (rest <= places) return { row: name, place: rest };
    rest -= places;
  }
  return undefined;
};

export default seat;
