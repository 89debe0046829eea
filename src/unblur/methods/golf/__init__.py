"""Golf Optimizer: a first network makes a large correction, a second one small ones."""
