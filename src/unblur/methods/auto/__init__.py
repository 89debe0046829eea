"""The method `auto`: looks at the photo, chooses what to do, checks the answer, and changes nothing that it would harm."""
