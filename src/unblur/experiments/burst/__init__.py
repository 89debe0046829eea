"""Experiments on several photos of one scene."""
