"""How far an answer is from the truth in structure, at several sizes."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from unblur.errors import ShapeError
from unblur.metrics.ssim import shrink_by_box, ssim_terms_gaussian_valid

__all__ = ["structure_distance"]

_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
_WINDOW = 11
_FLOOR = 1e-6


def structure_distance(
    restored: Float[Tensor, "b c h w"], sharp: Float[Tensor, "b c h w"], *, repeat_coarsest: bool = False
) -> Float[Tensor, " b"]:
    """1 - MS-SSIM of images in [0, 1] (Wang, Simoncelli, Bovik 2003), with a gradient everywhere.

    It is `metrics.ms_ssim` but for two things: a mean below 1e-6 counts as 1e-6, where the metric has 0 and its
    gradient no value; and an image too small for five sizes is compared at as many as it has, their weights brought to
    the same sum. Five need 176 pixels on each side. Computed in float64.

    Args:
        restored: The answer.
        sharp: The truth.
        repeat_coarsest: The mean of the coarsest size once for every finer one, as NeurMAP's released code has it.

    Raises:
        ShapeError: A side below 11 pixels.
    """
    side = min(restored.shape[-2:])
    sizes = sum(side >= _WINDOW << place for place in range(len(_WEIGHTS)))
    if sizes == 0:
        raise ShapeError(f"structure is compared in windows of {_WINDOW} pixels; the image has {side} on one side")
    weights = _WEIGHTS[:sizes]
    scale = sum(_WEIGHTS) / sum(weights)
    product = torch.ones((), dtype=torch.float64, device=restored.device)
    for place, weight in enumerate(weights, start=1):
        luminance, structure = ssim_terms_gaussian_valid(restored, sharp, data_range=1.0)
        values = luminance * structure if place == sizes else structure
        times = sizes - 1 if place == sizes and repeat_coarsest else 1
        product = product * values.mean((2, 3)).clamp_min(_FLOOR) ** (scale * weight * times)
        restored, sharp = shrink_by_box(restored, 2), shrink_by_box(sharp, 2)
    return 1 - product.mean(1)
