"""Connected parts of a mask."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812 - the name that everyone gives it
from jaxtyping import Bool, Float, Int
from torch import Tensor

__all__ = ["label_parts", "part_of"]

_SMALL = 2_500
"""Pixels below which one call of `max_pool2d` takes less time on a processor than eight quick ones."""


def label_parts(occupied: Bool[Tensor, "1 1 h w"]) -> Int[Tensor, "1 1 h w"]:
    """A number for each 8-connected part, the same at all its pixels, 0 outside: the highest pixel index spreads.

    The steps that this takes grow with the length of the parts: for small masks.
    """
    height, width = occupied.shape[-2:]
    # float32 holds whole numbers up to 2^24 exactly; no mask that is labelled here has more pixels.
    index = torch.arange(1, height * width + 1, dtype=torch.float32, device=occupied.device).view(1, 1, height, width)
    labels = torch.where(occupied, index, 0.0)
    while True:
        spread = _spread(labels).mul_(occupied)
        if torch.equal(spread, labels):
            return labels.long()
        labels = spread


def part_of(occupied: Bool[Tensor, "1 1 h w"], row: int, column: int, reach: int) -> Bool[Tensor, "1 1 h w"]:
    """The 8-connected part that an occupied pixel is in, as far as `reach` steps lead."""
    part = torch.zeros_like(occupied)
    part[..., row, column] = True
    for _ in range(reach):
        grown = _spread(part).logical_and_(occupied)
        if torch.equal(grown, part):
            break
        part = grown
    return part


def _spread(values: Float[Tensor, "1 1 h w"] | Bool[Tensor, "1 1 h w"]) -> Tensor:
    """The largest value of each pixel and its eight neighbours."""
    if values.is_floating_point() and values.numel() < _SMALL:
        return F.max_pool2d(values, 3, 1, 1)
    spread = values.clone()
    torch.maximum(spread[..., 1:, :], values[..., :-1, :], out=spread[..., 1:, :])
    torch.maximum(spread[..., :-1, :], values[..., 1:, :], out=spread[..., :-1, :])
    columns = spread.clone()
    torch.maximum(spread[..., 1:], columns[..., :-1], out=spread[..., 1:])
    torch.maximum(spread[..., :-1], columns[..., 1:], out=spread[..., :-1])
    return spread
