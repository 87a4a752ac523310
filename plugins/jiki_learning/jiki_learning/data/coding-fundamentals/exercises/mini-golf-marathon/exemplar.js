let numberOfHoles = getNumberOfHoles();

for (let hole = 1; hole <= numberOfHoles; hole++) {
  let distance = getShotLength();
  for (let roll = 1; roll <= distance; roll++) {
    rollBall();
  }
  nextHole();
}
