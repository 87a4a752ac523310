// A garden that draws its fireflies as rows of text: * glows, . does not.

const fs = require("node:fs");
const path = require("node:path");

function glow(filename) {
  const rows = Array.from({ length: 8 }, () => new Array(8).fill("."));
  const light = (column, row) => {
    if (rows[row - 1]?.[column - 1] === undefined) {
      throw new Error(`There is no firefly in column ${column} of row ${row}.`);
    }
    rows[row - 1][column - 1] = "*";
  };
  const code = fs.readFileSync(path.join(__dirname, filename), "utf8");
  new Function("light", code)(light);
  return rows.map((row) => row.join(""));
}

module.exports = { glow };
