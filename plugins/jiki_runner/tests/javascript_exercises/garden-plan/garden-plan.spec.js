const { totalArea } = require('./garden-plan');

describe('totalArea', () => {
  test('of one bed', () => {
    expect(totalArea({ area: 3 })).toBe(3);
  });

  test('of beds in beds', () => {
    const garden = { area: 1, inside: [{ area: 2, inside: [{ area: 4 }] }, { area: 8 }] };
    expect(totalArea(garden)).toBe(15);
  });
});
