"""The method `auto`: looks at the photo, chooses what to do, checks the answer, and leaves alone what it would harm."""
