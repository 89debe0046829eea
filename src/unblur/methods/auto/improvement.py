"""The solver's image made better: refined by the learned refiner, then brought back to what the photo says."""

from __future__ import annotations

from typing import Literal

from jaxtyping import Float
from torch import Tensor

from unblur.images.jpeg_traces import estimate_jpeg_coarseness
from unblur.images.tensors import brightness
from unblur.methods.auto.consistency import restore_consistency
from unblur.methods.auto.refiner import AnswerRefiner, refine_answer
from unblur.solvers.photo import estimate_noise

__all__ = ["SOLVER", "improve_answer"]

SOLVER = "positive-light"
"""Makes the image that is made better. Over the default solver, on photos of BSDS500 under their true kernels and after
all that follows: text +0.4 dB, straight motion +0.15, shake and disks +0.07."""


def improve_answer(
    refiner: AnswerRefiner,
    answer: Float[Tensor, "1 3 h w"],
    blurry: Float[Tensor, "1 3 h w"],
    kernel: Float[Tensor, "1 1 k k"],
    *,
    encoding: Literal["encoded", "linear"],
    known: Float[Tensor, "1 1 h w"] | None = None,
) -> Float[Tensor, "1 3 h w"]:
    """The solver's image without its noise and rings; sRGB-encoded, in [0, 1].

    Args:
        refiner: With its weights.
        answer: The solver's image of a photo in colour, sRGB-encoded.
        blurry: The photo, in [0, 1].
        kernel: That was found.
        encoding: Where it blurs.
        known: 1 where the photo counts, else 0; None: everywhere.
    """
    noise, coarseness = estimate_noise(blurry), estimate_jpeg_coarseness(brightness(blurry))
    refined = refine_answer(refiner, answer, blurry, kernel, encoding=encoding, noise=noise, jpeg_coarseness=coarseness)
    return restore_consistency(refined, blurry, kernel, encoding=encoding, is_jpeg=coarseness > 0, known=known)
