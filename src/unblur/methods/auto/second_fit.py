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
from unblur.methods.auto.improvement import SOLVER, improve_answer
from unblur.methods.auto.refiner import AnswerRefiner
from unblur.methods.kernel_search.refit import refit_kernel
from unblur.methods.options import BlurEncoding
from unblur.methods.region import find_informative
from unblur.solvers.photo import restore_with_kernel

__all__ = ["fit_to_refined"]

_ROUNDS = 2
_SHARE = 0.5
"""Of the fitted kernel in the mean of both. On 82 synthetic photos of BSDS500 val that `auto` restores, one round gains
0.14 dB and loses 0.08 at most, two 0.20 and 0.27; of the fitted kernel alone one loses 0.6."""
_EDGE_SHARE, _EDGE_SHARE_OF_PAGE, _FAINTEST = 0.1, 0.3, 0.03
"""Shares of the gradients that it is fitted to, and of its largest value, see `refit_kernel`. Edges of ink are many and
alike: on a page the smaller share loses up to 3.2 dB, where the larger one gains 0.6 on average."""
_ROOM = 2
"""Pixels that the box gains on each side."""
_PIXELS, _SIDE = 120_000, 300
"""It is fitted to no more than about so many pixels, the most informative part of the photo, on no smaller side."""


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
    sample = blurry[..., top : top + height, left : left + width]
    box = min(kernel.shape[-1] + 2 * _ROOM, (min(height, width) - 1) // 2 * 2 + 1)
    grey = brightness(sample)
    edge_share = _EDGE_SHARE_OF_PAGE if looks_like_page(grey) else _EDGE_SHARE
    for _ in range(_ROUNDS):
        answer = restore_with_kernel(sample, kernel, encoding=encoding, solver=SOLVER)
        refined = improve_answer(refiner, answer, sample, kernel, encoding=encoding)
        before = fit_box(kernel, box)
        fitted = refit_kernel(grey, brightness(refined), before, encoding, edge_share=edge_share, faintest=_FAINTEST)
        kernel = trim_box(before.lerp(fitted, _SHARE))
    return kernel
