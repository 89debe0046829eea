"""How close a restored image is to the truth, each measure with its convention in its name."""
