"""Differentiable terms that networks are trained with."""
