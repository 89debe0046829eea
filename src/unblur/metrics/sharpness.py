"""How blurred an image looks, without a truth."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from unblur.errors import UsageError
from unblur.metrics.luma import luma_full_range

__all__ = ["blur_effect"]


def blur_effect(image: Float[Tensor, "b c h w"]) -> Float[Tensor, " b"]:
    """scikit-image's `blur_effect` of the luma: 0 is sharp, 1 is blurred (Crété-Roffet et al., SPIE 2007).

    Filter of 11 pixels, the larger of the two directions; a constant image has no answer (NaN).

    Args:
        image: sRGB or grey, [0, 1].

    Raises:
        UsageError: scikit-image is not installed.
    """
    try:
        measure: Any = import_module("skimage.measure")
    except ImportError:
        raise UsageError("blur_effect needs scikit-image, which is not here; install unblur[bench]") from None
    grey = luma_full_range(image.double())[:, 0].cpu().numpy()
    values = [float(measure.blur_effect(one)) if one.max() > one.min() else float("nan") for one in grey]
    return torch.tensor(values, dtype=torch.float64)
