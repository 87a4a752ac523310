// A golf course with holes at the given distances. play() counts the balls that came to lie in a hole.

const fs = require("node:fs");
const path = require("node:path");

function play(filename, distances) {
  const balls = distances.map(() => 0);
  let hole = 0;
  const getNumberOfHoles = () => distances.length;
  const getShotLength = () => distances[hole];
  const rollBall = () => {
    if (hole >= distances.length) throw new Error("There are no more holes.");
    balls[hole] += 1;
    if (balls[hole] > distances[hole]) throw new Error(`Splash! The ball of hole ${hole + 1} is in the pond.`);
  };
  const nextHole = () => {
    hole += 1;
  };
  const code = fs.readFileSync(path.join(__dirname, filename), "utf8");
  const world = { getNumberOfHoles, getShotLength, rollBall, nextHole };
  new Function(...Object.keys(world), code)(...Object.values(world));
  return balls.filter((place, number) => place === distances[number]).length;
}

module.exports = { play };
