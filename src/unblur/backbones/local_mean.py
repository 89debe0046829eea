"""Means over the whole image or over a window around each pixel.

Networks that learned on crops with means over the whole crop do better on photos with means over windows of about that
size: Chu, Chen, Chen, Lu, "Improving image restoration by revisiting global information aggregation" (ECCV 2022).
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["LocalMean"]


class LocalMean(nn.Module):
    """The mean of each channel.

    Attributes:
        window: Side of the window in pixels of the features; None: the whole image.
    """

    window: int | None = None

    def forward(self, features: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h2 w2"]:
        """One mean for each channel where the window covers the image; else one for each pixel.

        Windows lie within the image; the pixels at its borders take the mean of the nearest one that does.
        """
        height, width = features.shape[-2:]
        if self.window is None or self.window >= max(height, width):
            return features.mean((2, 3), keepdim=True)
        means = _slide(_slide(features, min(self.window, height), 2), min(self.window, width), 3)
        rows, columns = height - means.shape[2], width - means.shape[3]
        around = (columns // 2, columns - columns // 2, rows // 2, rows - rows // 2)
        return functional.pad(means, around, mode="replicate")


def _slide(features: Tensor, window: int, axis: int) -> Tensor:
    """Means of all windows that lie within, as differences of sums from the border: the window's size costs nothing."""
    sums = features.cumsum(axis, dtype=torch.promote_types(features.dtype, torch.float32))
    beyond = sums.shape[axis] - window
    first = sums.narrow(axis, window - 1, 1)
    others = sums.narrow(axis, window, beyond) - sums.narrow(axis, 0, beyond)
    return torch.cat((first, others), axis) / window
