"""Experiments with SelfDeblur and its weak supervision."""
