"""Errors of an estimated kernel. A kernel is known only up to a shift, so every measure here ignores shifts."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from unblur.blur.fft import from_spectrum, good_size, multiply_conjugate, spectrum

__all__ = ["kernel_rmse_upto_shift", "kernel_similarity_upto_shift"]

Kernels = Float[Tensor, "b 1 _kh _kw"]


def kernel_rmse_upto_shift(found: Kernels, true: Kernels, *, frame: int = 45) -> Float[Tensor, " b"]:
    """Root mean squared difference at the best whole-pixel shift, both kernels lying in a frame of zeros.

    Args:
        found: Sum 1, any size.
        true: Sum 1, any size.
        frame: Side of the frame whose pixels the mean is taken over (45 in the DUBLID tables); the value depends on it.
    """
    energy = found.double().square().sum(dim=(1, 2, 3)) + true.double().square().sum(dim=(1, 2, 3))
    # |a - b|^2 = |a|^2 + |b|^2 - 2 <a, b>, and the best shift is where <a, b> is largest
    squared = energy - 2 * _best_correlation(found, true)
    return (squared.clamp_min(0) / frame**2).sqrt()


def kernel_similarity_upto_shift(
    found: Kernels, true: Kernels, *, either_orientation: bool = False
) -> Float[Tensor, " b"]:
    """Largest normalised cross-correlation over all shifts (Hu and Yang, ECCV 2012): 1 means equal.

    Args:
        found: Any size.
        true: Any size.
        either_orientation: Also compare with the kernel turned by 180 degrees and keep the better; for data whose
            kernels are stored sometimes for convolution and sometimes for correlation.
    """
    best = _best_correlation(found, true)
    if either_orientation:
        best = torch.maximum(best, _best_correlation(found.flip(-2, -1), true))
    norms = found.double().flatten(1).norm(dim=1) * true.double().flatten(1).norm(dim=1)
    return best / norms


def _best_correlation(a: Tensor, b: Tensor) -> Tensor:
    """The largest inner product of each pair over all whole-pixel shifts."""
    frame = (good_size(a.shape[-2] + b.shape[-2] - 1), good_size(a.shape[-1] + b.shape[-1] - 1))
    product = multiply_conjugate(spectrum(a.double(), frame), spectrum(b.double(), frame))
    return from_spectrum(product, frame).amax(dim=(1, 2, 3))
