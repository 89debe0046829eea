"""How much a file of weights may describe, whatever its form."""

from __future__ import annotations

__all__ = ["LARGEST_LENGTH", "LONGEST_NAME", "MOST_DIMENSIONS", "MOST_TENSORS"]

MOST_TENSORS = 20_000
"""The networks read here have at most 3,000; a training run keeps each three or four times."""
MOST_DIMENSIONS = 8
LARGEST_LENGTH = 2**40
"""Largest side of a tensor, in numbers."""
LONGEST_NAME = 1_000
"""Characters in the name of a tensor, of a storage or of any other entry."""
