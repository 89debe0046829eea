"""Experiments with the solvers for known kernels."""
