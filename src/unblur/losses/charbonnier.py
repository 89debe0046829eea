"""The Charbonnier distance: smooth at 0, and robust to single large errors."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

__all__ = ["charbonnier"]

_ROUNDING = 1e-6
"""Below a difference of its root, the distance is a square; above, an absolute value."""


def charbonnier(answer: Float[Tensor, "b c h w"], truth: Float[Tensor, "b c h w"]) -> Float[Tensor, " b"]:
    """Sum of sqrt(d² + 1e-6) of each image over its channels and pixels, d the difference there; in float32."""
    return ((answer.float() - truth.float()).square() + _ROUNDING).sqrt().sum((1, 2, 3))
