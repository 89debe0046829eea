"""Penalties on differences of neighbouring pixels."""

from __future__ import annotations

import torch.nn.functional as F  # noqa: N812 - the name that everyone gives it
from jaxtyping import Float
from torch import Tensor

__all__ = ["sparse_gradients", "total_variation"]

_EXPONENT = 0.66
_ROUNDING = 1e-6


def total_variation(values: Float[Tensor, "b c h w"]) -> Float[Tensor, " b"]:
    """Mean absolute difference of neighbours in a row, plus that of neighbours in a column (anisotropic).

    0 along a side of one pixel, which has no differences.
    """
    sizes = (values.diff(dim=axis).abs() for axis in (3, 2))
    across, down = (size.mean((1, 2, 3)) if size.numel() else size.new_zeros(len(values)) for size in sizes)
    return across + down


def sparse_gradients(image: Float[Tensor, "b c h w"]) -> Float[Tensor, " b"]:
    """Mean of |gradient|^0.66: few strong edges cost less than many weak ones (Krishnan, Fergus, NIPS 2009).

    Gradients are those of Sobel, summed over the channels, as in the released code of Tran et al. (CVPR 2021);
    sqrt(gx² + gy² + 1e-6) stands for their size. The border pixels are repeated beyond the border; the released code
    has zeros there, which make an edge of every border and draw its pixels to black.
    """
    across = image.new_tensor([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]])
    filters = across.new_empty(2, image.shape[1], 3, 3)
    filters[0], filters[1] = across, across.T
    right, down = F.conv2d(F.pad(image, (1, 1, 1, 1), mode="replicate"), filters).unbind(1)
    return (right.square() + down.square() + _ROUNDING).sqrt().pow(_EXPONENT).mean((1, 2))
