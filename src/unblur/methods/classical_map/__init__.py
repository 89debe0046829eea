"""Blind MAP deblurring: one kernel for the photo, from coarse to fine, several hypotheses, the best by its looks."""
