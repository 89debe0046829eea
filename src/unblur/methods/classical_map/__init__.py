"""Blind MAP deblurring: one kernel for the photo, coarse to fine; the best of several hypotheses."""
