"""The solver's image made better: refined by the learned refiner, then brought back to what the photo says.

The refiner has learned on single photos. Of several photos of one scene, each has its own refined image; their mean is
brought back to what all of them say.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from unblur.images.jpeg_traces import estimate_jpeg_coarseness
from unblur.images.tensors import brightness
from unblur.methods.auto.consistency import restore_consistency
from unblur.methods.auto.refiner import AnswerRefiner, refine_answer
from unblur.methods.options import BlurEncoding
from unblur.solvers.photo import estimate_noise

__all__ = ["SOLVER", "Improved", "Improver"]

SOLVER = "positive-light"
"""Makes the image that is made better. Over the default solver, on photos of BSDS500 under their true kernels and after
all that follows: text +0.4 dB, straight motion +0.15, shake and disks +0.07."""


class Improved(NamedTuple):
    """An answer made better.

    Attributes:
        refined: By the refiner alone; values may leave [0, 1].
        image: Brought back to what the photo says, in [0, 1].
    """

    refined: Float[Tensor, "1 3 h w"]
    image: Float[Tensor, "1 3 h w"]


class Improver:
    """Improves answers to one photo, or to several of one scene, whose noise and JPEG quality are measured once.

    Args:
        refiner: With its weights.
        blurry: The photo in colour, sRGB-encoded, in [0, 1], or several.
        known: 1 where a photo counts, else 0; None: everywhere.
        jpeg_coarseness: See `estimate_jpeg_coarseness`, for a part of a photo, which may begin anywhere; None:
            estimated from the first photo, for others may have been moved.
    """

    def __init__(
        self,
        refiner: AnswerRefiner,
        blurry: Float[Tensor, "n 3 h w"],
        known: Float[Tensor, "n 1 h w"] | None = None,
        jpeg_coarseness: float | None = None,
    ) -> None:
        self._refiner, self._blurry, self._known = refiner, blurry, known
        self.noise = [estimate_noise(photo) for photo in blurry.split(1)]
        if jpeg_coarseness is None:
            jpeg_coarseness = estimate_jpeg_coarseness(brightness(blurry))
        self.jpeg_coarseness = jpeg_coarseness

    def improve(
        self, answer: Float[Tensor, "1 3 h w"], kernel: Float[Tensor, "n 1 k k"], encoding: BlurEncoding
    ) -> Improved:
        """The solver's image without its noise and rings; sRGB-encoded.

        Args:
            answer: The solver's image, sRGB-encoded.
            kernel: That was found, for each photo.
            encoding: Where it blurs.
        """
        one_by_one = zip(self._blurry.split(1), kernel.split(1), self.noise, strict=True)
        refined = torch.stack(
            [
                refine_answer(
                    self._refiner,
                    answer,
                    photo,
                    own,
                    encoding=encoding,
                    noise=noise,
                    jpeg_coarseness=self.jpeg_coarseness,
                )
                for photo, own, noise in one_by_one
            ]
        ).mean(0)
        is_jpeg = self.jpeg_coarseness > 0
        image = restore_consistency(
            refined, self._blurry, kernel, encoding=encoding, is_jpeg=is_jpeg, known=self._known
        )
        return Improved(refined, image)
