"""The largest values around each pixel, without `max_pool2d`, which looks at every pixel of every window."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812 - the name that everyone gives it
from torch import Tensor

__all__ = ["largest_along", "largest_around"]


def largest_around(image: Tensor, window: int) -> Tensor:
    """The largest value in the square around each pixel, as far as the image reaches; of the same shape.

    Args:
        image: `(..., h, w)`, floating-point.
        window: Side of the square in pixels, odd.
    """
    reach = window // 2
    padded = F.pad(image, (reach,) * 4, value=-torch.inf)
    return largest_along(largest_along(padded, window, -1), window, -2)


def largest_along(image: Tensor, window: int, dim: int) -> Tensor:
    """The largest value of every stretch of pixels along one dimension; shorter by `window - 1` there.

    By stretches of 2, 4, 8 pixels and so on, the last two of which overlap: a few dozen times as fast as `max_pool2d`
    on large windows.

    Args:
        image: `(..., h, w)`, at least `window` long along `dim`.
        window: Length of a stretch in pixels.
        dim: The dimension.
    """
    length, largest, reached = image.shape[dim] - window + 1, image, 1
    while 2 * reached <= window:
        largest = torch.maximum(*(largest.narrow(dim, at, largest.shape[dim] - reached) for at in (0, reached)))
        reached *= 2
    if reached == window:
        return largest
    return torch.maximum(*(largest.narrow(dim, at, length) for at in (0, window - reached)))
