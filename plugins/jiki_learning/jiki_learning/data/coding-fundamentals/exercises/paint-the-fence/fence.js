// A fence that remembers which of its boards were painted.

const fs = require("node:fs");
const path = require("node:path");

function read(filename) {
  return fs.readFileSync(path.join(__dirname, filename), "utf8");
}

function work(filename, numberOfBoards) {
  const painted = new Array(numberOfBoards).fill(false);
  let place = 0;
  const paint = () => {
    if (place >= numberOfBoards) throw new Error("You are painting the grass.");
    painted[place] = true;
  };
  const stepRight = () => {
    place += 1;
  };
  new Function("paint", "stepRight", read(filename))(paint, stepRight);
  return painted.filter((isPainted) => isPainted).length;
}

function timesWritten(filename, instruction) {
  const withoutComments = read(filename).replace(/\/\/.*$/gm, "");
  return withoutComments.split(instruction).length - 1;
}

module.exports = { work, timesWritten };
