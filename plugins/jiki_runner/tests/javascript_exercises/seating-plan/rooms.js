// The rows of the room, front to back.
export const rows = [
  { name: 'A', places: 4 },
  { name: 'B', places: 5 },
];
