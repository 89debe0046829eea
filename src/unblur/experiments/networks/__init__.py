"""Experiments with published networks, whose weights others trained."""
