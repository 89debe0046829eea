"""How much an image or a map changes from pixel to pixel."""

from __future__ import annotations

import torch.nn.functional as F  # noqa: N812 - the name that everyone gives it
from jaxtyping import Float
from torch import Tensor

__all__ = ["sparse_edges", "total_variation"]

_EXPONENT = 0.66
_ROUNDING = 1e-6


def total_variation(values: Float[Tensor, "b c h w"]) -> Float[Tensor, " b"]:
    """Mean absolute difference of neighbours in a row, plus that of neighbours in a column."""
    across = values.diff(dim=3).abs().mean((1, 2, 3))
    down = values.diff(dim=2).abs().mean((1, 2, 3))
    return across + down


def sparse_edges(image: Float[Tensor, "b c h w"]) -> Float[Tensor, " b"]:
    """Mean of |gradient|^0.66: a few strong edges cost less than many weak ones (Krishnan, Fergus, NIPS 2009).

    Gradients are those of Sobel, summed over the channels, with zeros beyond the border, as in the released code of
    Tran et al. (CVPR 2021); sqrt(gx² + gy² + 1e-6) stands for their size.
    """
    across = image.new_tensor([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]])
    filters = across.new_empty(2, image.shape[1], 3, 3)
    filters[0], filters[1] = across, across.T
    right, down = F.conv2d(image, filters, padding=1).unbind(1)
    return (right.square() + down.square() + _ROUNDING).sqrt().pow(_EXPONENT).mean((1, 2))
