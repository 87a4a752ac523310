const totalArea = (bed) => bed.area + (bed.inside ?? []).map(totalArea).reduce((a, b) => a + b, 0);

module.exports = { totalArea };
