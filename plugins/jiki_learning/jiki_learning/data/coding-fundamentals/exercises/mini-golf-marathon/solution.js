let distance = getShotLength();

for (let roll = 1; roll <= distance; roll++) {
  rollBall();
}
