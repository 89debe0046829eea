"""Experiments of the NeurMAP paper."""
