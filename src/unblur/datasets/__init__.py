"""What each data set is, and its pairs of blurry and sharp images, read one at a time."""
