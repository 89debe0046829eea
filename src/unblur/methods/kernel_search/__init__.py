"""Blind search of one kernel for a photo: maximum a posteriori, coarse to fine, several hypotheses."""
