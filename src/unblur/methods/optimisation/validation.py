"""Photos on which nothing can be learned."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

__all__ = ["find_refusal"]

_ONE_TONE = 1 / 255


def find_refusal(blurry: Float[Tensor, "1 c h w"], smallest: int) -> str:
    """Why nothing can be learned on a photo, as a sentence; empty: something can.

    Args:
        blurry: In [0, 1].
        smallest: Least length of its shorter side in pixels.
    """
    if min(blurry.shape[-2:]) < smallest:
        return f"a photo below {smallest} pixels is too small to estimate its blur; it is returned as it was"
    if float(blurry.amax() - blurry.amin()) < _ONE_TONE:
        return "the blur of a photo of one tone cannot be estimated; it is returned as it was"
    return ""
