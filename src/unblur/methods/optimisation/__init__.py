"""Methods that learn on the one photo: the loop they share, when it ends, and how it is gone on with."""
