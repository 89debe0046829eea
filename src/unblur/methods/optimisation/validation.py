"""Photos on which nothing can be learned."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from unblur.methods.base import Restoration

__all__ = ["refuse"]

_ONE_TONE = 1 / 255


def refuse(blurry: Float[Tensor, "1 c h w"], smallest: int) -> Restoration | None:
    """The photo as it was, with the reason as a warning; None: something can be learned on it.

    Args:
        blurry: In [0, 1].
        smallest: Least length of its shorter side in pixels.
    """
    if min(blurry.shape[-2:]) < smallest:
        fault = f"a photo below {smallest} pixels does not tell its blur"
    elif float(blurry.amax() - blurry.amin()) < _ONE_TONE:
        fault = "a photo of nothing but one tone does not tell its blur"
    else:
        return None
    return Restoration(image=blurry, warnings=(f"{fault}; it is returned as it was",))
