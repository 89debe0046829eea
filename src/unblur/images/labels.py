"""Connected parts of a mask."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812 - the name that everyone gives it
from jaxtyping import Bool, Int
from torch import Tensor

__all__ = ["label_parts"]


def label_parts(occupied: Bool[Tensor, "1 1 h w"]) -> Int[Tensor, "1 1 h w"]:
    """A number for each 8-connected part, the same at all its pixels, 0 outside: the highest pixel index spreads.

    The steps that this takes grow with the length of the parts: for small masks.
    """
    height, width = occupied.shape[-2:]
    # float32 holds whole numbers up to 2^24 exactly; no mask that is labelled here has more pixels.
    index = torch.arange(1, height * width + 1, dtype=torch.float32, device=occupied.device).view(1, 1, height, width)
    labels = torch.where(occupied, index, 0.0)
    while True:
        spread = torch.where(occupied, F.max_pool2d(labels, 3, 1, 1), 0.0)
        if torch.equal(spread, labels):
            return labels.long()
        labels = spread
