"""Experiments of the Golf Optimizer paper."""
