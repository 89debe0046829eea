"""Losses of structural similarity, at one scale and at several."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from unblur.errors import ShapeError
from unblur.metrics.ms_ssim import WEIGHTS, ms_ssim_factors
from unblur.metrics.ssim import ssim_gaussian_padded

__all__ = ["ms_ssim_loss", "ssim_loss"]

_WINDOW = 11
_FLOOR = 1e-6


def ssim_loss(restored: Float[Tensor, "b c h w"], sharp: Float[Tensor, "b c h w"]) -> Float[Tensor, " b"]:
    """1 - SSIM for images in [0, 1]: Gaussian 11x11 window at every pixel, zeros beyond the border."""
    return 1 - ssim_gaussian_padded(restored, sharp, data_range=1.0, border="zeros")


def ms_ssim_loss(
    restored: Float[Tensor, "b c h w"], sharp: Float[Tensor, "b c h w"], *, repeat_coarsest: bool = False
) -> Float[Tensor, " b"]:
    """1 - MS-SSIM of images in [0, 1] (Wang, Simoncelli, Bovik 2003), with a gradient everywhere.

    It is `metrics.ms_ssim` but for two things: a mean below 1e-6 counts as 1e-6, where the metric has 0 and its
    gradient no value; and an image too small for five scales is compared at as many as it has, their weights brought to
    the same sum. Five need 176 pixels on each side. Computed in float64.

    Args:
        restored: The answer.
        sharp: The truth.
        repeat_coarsest: The mean of the coarsest scale counts once for every finer one, as in NeurMAP's released code.

    Raises:
        ShapeError: A side below 11 pixels.
    """
    side = min(restored.shape[-2:])
    scales = sum(side >= _WINDOW << place for place in range(len(WEIGHTS)))
    if scales == 0:
        raise ShapeError(f"MS-SSIM compares windows of {_WINDOW} pixels; the image has {side} on one side")
    weights = torch.tensor(WEIGHTS[:scales], dtype=torch.float64, device=restored.device)
    weights = weights * (sum(WEIGHTS) / sum(WEIGHTS[:scales]))
    if repeat_coarsest:
        weights[-1] *= scales - 1
    factors = ms_ssim_factors(restored, sharp, data_range=1.0, scales=scales).clamp_min(_FLOOR)
    return 1 - (factors ** weights[:, None, None]).prod(0).mean(1)
