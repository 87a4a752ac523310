// A canvas that remembers the circles a solution draws.

const fs = require("node:fs");
const path = require("node:path");

function draw(filename) {
  const circles = [];
  const circle = (left, top, radius) => circles.push({ left, top, radius });
  const code = fs.readFileSync(path.join(__dirname, filename), "utf8");
  new Function("circle", code)(circle);
  return circles;
}

module.exports = { draw };
