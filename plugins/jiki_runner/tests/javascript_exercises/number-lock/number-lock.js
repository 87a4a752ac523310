// All codes of a lock with so many wheels, lazily.
export function* codes(wheels) {}
