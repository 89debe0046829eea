"""What is hidden in an image, continued smoothly from what is seen."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["fill_hidden"]


def fill_hidden(colour: NDArray[np.float32], alpha: NDArray[np.float32]) -> NDArray[np.float32]:
    """Colours where alpha is 0 from the visible ones around, weighted by their alpha.

    A pyramid: each level halves the picture by weighted means; what has no weight takes the next level's value.
    """
    weight = np.where(alpha > 0, alpha, 0)
    weighted = np.where(weight > 0, colour, 0) * weight
    levels = [(weighted, weight)]
    while (levels[-1][1] == 0).any() and max(weighted.shape[:2]) > 1:
        weighted, weight = _halve(weighted), _halve(weight)
        levels.append((weighted, weight))
    filled = np.zeros_like(weighted)
    for weighted, weight in reversed(levels):
        if filled.shape != weighted.shape:
            filled = filled.repeat(2, axis=0).repeat(2, axis=1)[: weighted.shape[0], : weighted.shape[1]]
        means = np.divide(weighted, weight, out=np.zeros_like(weighted), where=weight > 0)
        filled = np.where(weight > 0, means, filled)
    # Visible pixels are returned as they came: weighting and its undoing would cost their last bit.
    return np.where(alpha > 0, colour, filled)


def _halve(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Sums of 2 x 2 blocks; an odd last row or column stands alone."""
    height, width, _ = values.shape
    even = np.pad(values, ((0, height % 2), (0, width % 2), (0, 0)))
    return even[0::2, 0::2] + even[1::2, 0::2] + even[0::2, 1::2] + even[1::2, 1::2]
