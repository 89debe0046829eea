"""Sharpness of an image without a truth."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from unblur.metrics.luma import luma_full_range
from unblur.system.extras import import_extra

__all__ = ["blur_effect"]


def blur_effect(image: Float[Tensor, "b c h w"]) -> Float[Tensor, " b"]:
    """scikit-image's `blur_effect` of the luma: 0 is sharp, 1 is blurred (Crété-Roffet et al., SPIE 2007).

    Filter of 11 pixels, the larger of the two directions; a constant image has no answer (NaN).

    Args:
        image: sRGB or grey, [0, 1].

    Raises:
        MissingExtraError: scikit-image is not installed.
    """
    measure = import_extra("skimage.measure", "the metric blur_effect")
    grey = luma_full_range(image.double())[:, 0].cpu().numpy()
    values = [float(measure.blur_effect(one)) if one.max() > one.min() else float("nan") for one in grey]
    return torch.tensor(values, dtype=torch.float64)
