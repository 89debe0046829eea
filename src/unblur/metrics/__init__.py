"""Measures of how close a restored image is to the truth, each with its convention in its name."""
