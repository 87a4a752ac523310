// A maze drawn as text: S is the entrance, E the exit, # a wall, anything else is floor.
// walk() runs a solution in it and tells how far it got.

const fs = require("node:fs");
const path = require("node:path");

const RIGHT = { column: 1, row: 0 };

function find(map, letter) {
  const row = map.findIndex((line) => line.includes(letter));
  return { column: map[row].indexOf(letter), row };
}

function walk(filename, map) {
  const exit = find(map, "E");
  let place = find(map, "S");
  let facing = RIGHT;
  let steps = 0;

  function move() {
    const ahead = { column: place.column + facing.column, row: place.row + facing.row };
    if (map[ahead.row][ahead.column] === "#") {
      throw new Error(`Ouch! After ${steps} steps you walked into a wall.`);
    }
    place = ahead;
    steps += 1;
  }

  function turnRight() {
    facing = { column: -facing.row, row: facing.column };
  }

  function turnLeft() {
    facing = { column: facing.row, row: -facing.column };
  }

  const code = fs.readFileSync(path.join(__dirname, filename), "utf8");
  new Function("move", "turnLeft", "turnRight", code)(move, turnLeft, turnRight);
  return { reachedExit: place.column === exit.column && place.row === exit.row, steps };
}

module.exports = { walk };
