"""Many photos: which file becomes which, over how many processes, and what is said of each."""
