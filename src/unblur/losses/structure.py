"""Losses of structural similarity, at one scale and at several."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from unblur.errors import ShapeError
from unblur.metrics.ms_ssim import WEIGHTS, ms_ssim_factors

__all__ = ["ms_ssim_loss", "ssim_loss"]

_WINDOW, _SIGMA = 11, 1.5
_LUMINANCE, _CONTRAST = 0.01**2, 0.03**2
_FLOOR = 1e-6


def ssim_loss(restored: Float[Tensor, "b c h w"], sharp: Float[Tensor, "b c h w"]) -> Float[Tensor, " b"]:
    """1 - SSIM for images in [0, 1]: Gaussian 11x11 window at every pixel, zeros beyond the border.

    It is `metrics.ssim.ssim_gaussian_padded`, but means over windows are products with two matrices, not convolutions,
    whose gradient takes a quarter of a step of SelfDeblur on a processor.
    """
    with torch.autocast(restored.device.type, enabled=False):
        return 1 - _ssim(*(image if image.dtype == torch.float64 else image.float() for image in (restored, sharp)))


def _ssim(one: Float[Tensor, "b c h w"], other: Float[Tensor, "b c h w"]) -> Float[Tensor, " b"]:
    rows, columns = (_windows(side, one) for side in one.shape[-2:])
    planes = torch.stack([one, other, one.square() + other.square(), one * other])
    mean, other_mean, squares, product = rows @ planes @ columns
    means, squared_means = mean * other_mean, mean.square() + other_mean.square()
    luminance = (2 * means + _LUMINANCE) / (squared_means + _LUMINANCE)
    structure = (2 * (product - means) + _CONTRAST) / (squares - squared_means + _CONTRAST)
    return (luminance * structure).double().mean(dim=(1, 2, 3))


def _windows(side: int, like: Tensor) -> Float[Tensor, "side side"]:
    """The weights of a Gaussian window around each place on a line; symmetric."""
    places = torch.arange(side, dtype=like.dtype, device=like.device)
    distance = (places[:, None] - places[None, :]).abs()
    reach = _WINDOW // 2
    weights = torch.where(distance <= reach, torch.exp(-(distance**2) / (2 * _SIGMA**2)), 0.0)
    inside = torch.arange(-reach, reach + 1, dtype=like.dtype, device=like.device)
    return weights / torch.exp(-(inside**2) / (2 * _SIGMA**2)).sum()


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
