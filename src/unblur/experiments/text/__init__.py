"""Experiments with printed text: what a reader makes of it before and after."""
