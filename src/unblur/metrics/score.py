"""Scores of restored images under a protocol."""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from unblur.errors import ShapeError, UsageError
from unblur.metrics.protocols import PROTOCOLS, Protocol
from unblur.metrics.psnr import psnr
from unblur.metrics.residual import spectral_error, squared_error
from unblur.metrics.shift import align_by_shift
from unblur.metrics.ssim import ssim_gaussian_valid, ssim_gaussian_valid_subsampled

__all__ = ["Scores", "score"]


class Scores(NamedTuple):
    """Scores of each image of a batch, all float64.

    Attributes:
        psnr: dB, over all channels, data range 1.
        ssim: Wang's Gaussian window inside the image, mean of the channels; for grey images under `"shift"`, after
            the subsampling to about 256 pixels that the Levin and Lai scripts do.
        shift: `(B, 2)`, (right, down) in pixels that was undone; zero under `"plain"`.
        squared_error: Sum of squared differences over what was compared.
        spectral_error: Largest singular value of the difference.
    """

    psnr: Tensor
    ssim: Tensor
    shift: Tensor
    squared_error: Tensor
    spectral_error: Tensor


def score(restored: Float[Tensor, "b c _h _w"], sharp: Float[Tensor, "b c _h2 _w2"], protocol: Protocol) -> Scores:
    """The scores of restored images under a protocol.

    Args:
        restored: Answers in [0, 1].
        sharp: Truths in [0, 1]; under `"shift"` the size may differ by a little.
        protocol: See `Protocol`.

    Raises:
        UsageError: No such protocol.
        ShapeError: Other channels, under `"plain"` another size, or too small for the protocol.
    """
    if protocol not in PROTOCOLS:
        raise UsageError(f"there is no protocol {protocol!r}; choose one of: {', '.join(PROTOCOLS)}")
    _check(restored, sharp, protocol)
    shift = torch.zeros(len(sharp), 2, dtype=torch.float64)
    ssim = ssim_gaussian_valid
    if protocol == "shift":
        restored, sharp, shift = align_by_shift(restored, sharp)
        ssim = ssim_gaussian_valid_subsampled if sharp.shape[1] == 1 else ssim_gaussian_valid
    return Scores(
        psnr(restored, sharp, data_range=1.0),
        ssim(restored, sharp, data_range=1.0),
        shift,
        squared_error(restored, sharp),
        spectral_error(restored, sharp),
    )


def _check(restored: Tensor, sharp: Tensor, protocol: Protocol) -> None:
    same = 4 if protocol == "plain" else 2
    if restored.shape[:same] != sharp.shape[:same]:
        raise ShapeError(
            f"restored and sharp images are of one shape, not {tuple(restored.shape)} and {tuple(sharp.shape)}"
        )
