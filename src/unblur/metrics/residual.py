"""Norms of the remaining error; the error ratio of the literature is a quotient of two of them.

Error ratio: the error of a blind restoration over that of a restoration with the true kernel (Levin et al., CVPR 2009).
`squared_error` gives the usual one, `spectral_error` the one that MATLAB scripts print by calling `norm` on a matrix.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["spectral_error", "squared_error"]


def squared_error(restored: Float[Tensor, "b c h w"], sharp: Float[Tensor, "b c h w"]) -> Float[Tensor, " b"]:
    """Sum of squared differences of each image over channels and pixels."""
    return (restored.double() - sharp.double()).square().sum(dim=(1, 2, 3))


def spectral_error(restored: Float[Tensor, "b c h w"], sharp: Float[Tensor, "b c h w"]) -> Float[Tensor, " b"]:
    """Largest singular value of the difference as a matrix; colour channels stand side by side in one matrix."""
    residual = (restored.double() - sharp.double()).transpose(1, 2).flatten(2)  # b h (c w)
    # the square root of the largest eigenvalue of the small Gram matrix: far quicker than all singular values
    gram = residual @ residual.mT if residual.shape[1] <= residual.shape[2] else residual.mT @ residual
    return torch.linalg.eigvalsh(gram)[:, -1].clamp_min(0).sqrt()
