"""How sparse an image's gradients are, which tells a sharp answer from one that rings; what is decided by that."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor

from unblur.images.large import Image
from unblur.solvers.photo import restore_with_kernel

__all__ = ["looks_turned", "measure_sparsity"]

_SAMPLE = 256
"""Side in pixels of the middle of the photo, on which orientations are compared."""
_SMALLEST_SAMPLE = 64
_LEAST_GAIN = 0.05
"""How much the logarithm of the sparsity, summed over both encodings, has to fall. Of turned kernels, 32 of 32 on the
photos of Levin et al. and 48 of 56 on noisy ones of BSDS500 gain more; of 88 the right way round, none does."""
_ROUNDING = 1 / 255
_SYMMETRIC = 0.1
"""Share of its light in which a kernel differs from itself turned, up to which both are the same."""

Grey = Float[Tensor, "1 1 h w"]
Kernel = Float[Tensor, "1 1 kh kw"]


def measure_sparsity(restored: Grey, kernel: Kernel) -> float:
    """L1 over L2 norm of an answer's gradients, leaving out the border that the kernel reaches over.

    Low for clean edges, high for blur, noise and ringing (Krishnan, Tay and Fergus, CVPR 2011).
    """
    margins = [min(k // 2, (side - 2) // 2) for k, side in zip(kernel.shape[-2:], restored.shape[-2:], strict=True)]
    inner = restored[..., margins[0] : restored.shape[-2] - margins[0], margins[1] : restored.shape[-1] - margins[1]]
    right, down = torch.diff(inner, dim=-1), torch.diff(inner, dim=-2)
    spread = (right.square().mean() + down.square().mean()).sqrt().clamp_min(1e-9)
    return float((right.abs().mean() + down.abs().mean()) / spread)


def looks_turned(blurry: Image, kernel: Kernel) -> bool:
    """Whether the kernel clearly explains the photo better when it is turned by 180 degrees.

    The middle of the photo is deconvolved with both, in both encodings; the wrong one leaves ghosts of every edge.

    Args:
        blurry: `(1, C, H, W)`, sRGB-encoded, in [0, 1].
        kernel: Sum 1, odd sizes.
    """
    turned = kernel.flip(-2, -1)
    top, left = (max(0, (side - _SAMPLE) // 2) for side in blurry.shape[-2:])
    part = blurry[..., top : top + _SAMPLE, left : left + _SAMPLE].mean(1, keepdim=True)
    is_small = min(part.shape[-2:]) < max(_SMALLEST_SAMPLE, 2 * max(kernel.shape[-2:]))
    is_empty = float(part.amax() - part.amin()) < _ROUNDING
    if is_small or is_empty or float((kernel - turned).abs().sum()) / 2 < _SYMMETRIC:
        return False
    return _log_sparsity(part, kernel) - _log_sparsity(part, turned) > _LEAST_GAIN


def _log_sparsity(blurry: Grey, kernel: Kernel) -> float:
    """Of the answers in both encodings together."""
    encoded = restore_with_kernel(blurry, kernel, encoding="encoded").clamp(0, 1)
    linear = restore_with_kernel(blurry, kernel, encoding="linear").clamp(0, 1)
    return sum(math.log(max(measure_sparsity(answer, kernel), 1e-9)) for answer in (encoded, linear))
