"""Trained weights: files read without running anything in them, checked, written, and those that ship with unblur."""
