"""Golf Optimizer: a first network brings the photo near, a second one walks the rest in small steps."""
