"""How much an image or a map changes from pixel to pixel."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

__all__ = ["total_variation"]


def total_variation(values: Float[Tensor, "b c h w"]) -> Float[Tensor, " b"]:
    """Mean absolute difference of neighbours in a row, plus that of neighbours in a column."""
    across = values.diff(dim=3).abs().mean((1, 2, 3))
    down = values.diff(dim=2).abs().mean((1, 2, 3))
    return across + down
