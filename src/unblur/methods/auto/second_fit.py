"""The kernel fitted once more, to the refined answer: that is nearer to the sharp photo than what the search makes.

The search makes its sharp images by a prior that knows edges alone. The refiner has learned what photos look like, so
least squares between its image and the photo see more of the kernel. What is wrong in the image comes from the kernel
that it was made with, though, and agrees with it: the fitted kernel alone overshoots, the mean of both is nearer.
"""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from unblur.blur.kernels import fit_box, trim_box
from unblur.images.tensors import brightness
from unblur.methods.auto.candidates import looks_like_page
from unblur.methods.auto.improvement import Improver
from unblur.methods.auto.refiner import AnswerRefiner, reblur_residual
from unblur.methods.kernel_search.refit import refit_kernel
from unblur.methods.options import BlurEncoding
from unblur.methods.region import find_informative
from unblur.solvers.photo import restore_with_kernel

__all__ = ["fit_to_refined"]

_ROUNDS = 2
_SHARE = 0.5
"""Of the fitted kernel in the mean of both; of the fitted kernel alone one photo loses 0.6 dB."""
_MOST_WORSE = 1.005
"""A kernel is taken as long as it leaves no more than so many times as much unexplained as the one before. On 82
synthetic photos of BSDS500 val that `auto` restores, two rounds gain 0.19 dB and lose 0.31 at most; those that pass
gain 0.16 and lose 0.14."""
_PIXELS, _SIDE = 240_000, 300
"""It is fitted to no more than about so many pixels, the most informative part of the photo, on no smaller side. Of 16
mosaics of 0.6 megapixels, 120,000 pixels gain 0.14 dB and lose 0.09 at most, 400,000 gain 0.26 and lose nothing; on 12
others 240,000 gain as much as these."""
_EDGE_SHARE, _EDGE_SHARE_OF_PAGE, _FAINTEST = 0.1, 0.3, 0.03
"""Shares of the gradients that it is fitted to, and of its largest value, see `refit_kernel`. Edges of ink are many and
alike: on a page the smaller share loses up to 3.2 dB, where the larger one gains 0.6 on average."""
_ROOM = 2
"""Pixels that the box gains on each side."""


def fit_to_refined(
    refiner: AnswerRefiner, blurry: Float[Tensor, "1 3 h w"], kernel: Float[Tensor, "1 1 k k"], encoding: BlurEncoding
) -> Float[Tensor, "1 1 _k _k"]:
    """The kernel, nearer to that of the photo; sum 1, in the odd square box that just holds it.

    Args:
        refiner: With its weights.
        blurry: A photo in colour, sRGB-encoded, in [0, 1].
        kernel: That was found.
        encoding: Where it blurs.
    """
    side = max(_SIDE, 4 * kernel.shape[-1])
    top, left, height, width = find_informative(brightness(blurry), _PIXELS, side)
    see = _Refinement(refiner, blurry[..., top : top + height, left : left + width], encoding)
    edge_share = _EDGE_SHARE_OF_PAGE if looks_like_page(see.grey) else _EDGE_SHARE
    box = min(kernel.shape[-1] + 2 * _ROOM, (min(height, width) - 1) // 2 * 2 + 1)
    image, misfit = see(kernel)
    for _ in range(_ROUNDS):
        before = fit_box(kernel, box)
        fitted = refit_kernel(see.grey, image, before, encoding, edge_share=edge_share, faintest=_FAINTEST)
        nearer = trim_box(before.lerp(fitted, _SHARE))
        image, new_misfit = see(nearer)
        if new_misfit > _MOST_WORSE * misfit:
            break
        kernel, misfit = nearer, new_misfit
    return kernel


class _Refinement:
    """Refined answers on one part of a photo.

    Args:
        refiner: With its weights.
        sample: The part, `(1, 3, h, w)`.
        encoding: Where it is blurred.
    """

    def __init__(self, refiner: AnswerRefiner, sample: Tensor, encoding: BlurEncoding) -> None:
        self.sample, self.grey, self._improver = sample, brightness(sample), Improver(refiner, sample)
        self._encoding: BlurEncoding = encoding

    def __call__(self, kernel: Tensor) -> tuple[Tensor, float]:
        """Brightness of the answer with a kernel, and the root mean square of what it leaves unexplained."""
        sample, encoding, coarseness = self.sample, self._encoding, self._improver.jpeg_coarseness
        # The solver of the answers that are given takes four times as long, and the kernels that follow are no better.
        answer = restore_with_kernel(sample, kernel, encoding=encoding, jpeg_coarseness=coarseness, quick=True)
        refined, image = self._improver.improve(answer, kernel, encoding)
        residual = reblur_residual(refined.clamp(0, 1), sample, kernel, encoding)
        return brightness(image), float(residual.square().mean().sqrt())
