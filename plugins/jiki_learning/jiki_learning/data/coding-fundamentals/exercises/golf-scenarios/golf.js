// A golf course with one hole at a given distance. play() tells where the ball came to lie.

const fs = require("node:fs");
const path = require("node:path");

function play(filename, distance) {
  let place = 0;
  const getShotLength = () => distance;
  const rollBall = () => {
    place += 1;
    if (place > distance) throw new Error("Splash! The ball is in the pond.");
  };
  const code = fs.readFileSync(path.join(__dirname, filename), "utf8");
  new Function("getShotLength", "rollBall", code)(getShotLength, rollBall);
  return place;
}

module.exports = { play };
