// Ask how far it is, and remember the answer.

// Then roll the ball that far.
