"""Methods that are fitted to one photo: the loop they share, stopping rules, and resuming."""
