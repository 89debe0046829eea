"""Experiments with the parts of restoration: estimators, solvers and refiners in all combinations."""
