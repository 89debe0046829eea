"""The method `auto`: looks at the photo, chooses what to do, checks the answer, and refuses what would do harm."""
