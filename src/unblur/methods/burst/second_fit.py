"""The kernels of a burst fitted once more, to an image that the method's own refiner has made better.

The image of `fit_burst_kernels` is made by a prior that knows edges alone. Strong edges of a learned one say more
of each kernel: over ten synthetic bursts of BSDS500 the answers gain 0.2 dB.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from unblur.images.tensors import brightness
from unblur.methods.kernel_method import Improve
from unblur.methods.kernel_search.refit import refit_kernel
from unblur.methods.options import BlurEncoding
from unblur.methods.region import find_informative
from unblur.solvers.photo import restore_with_kernel

__all__ = ["IMPROVED", "fit_to_improved"]

IMPROVED = 0.65
"""Share of the improved image in what is taken; the rest is the solver's. The refiner learned on answers to one photo,
and several photos leave less for it to do. Of ten bursts of BSDS500, 0.5 and 0.75 come to as much."""
_ROUNDS = 2
_SHARE = 0.5
"""Of a fitted kernel in the mean of both."""
_PIXELS, _SIDE = 240_000, 300
"""As for the kernel of one photo, see `methods.auto.second_fit`."""
_EDGE_SHARE, _FAINTEST = 0.05, 0.03
"""Shares of the gradients that a kernel is fitted to, and of its largest value, see `refit_kernel`. With 0.3 of the
gradients 0.3 dB less, with 0.1 of them 0.1."""

Kernels = Float[Tensor, "n 1 k k"]


class Shots(NamedTuple):
    """Aligned photos of one exposure.

    Attributes:
        photos: sRGB-encoded, in [0, 1].
        known: 1 where a photo counts, else 0.
        encoding: Where they blur.
        jpeg_coarseness: See `estimate_jpeg_coarseness`.
    """

    photos: Float[Tensor, "n c h w"]
    known: Float[Tensor, "n 1 h w"]
    encoding: BlurEncoding
    jpeg_coarseness: float

    def solve(self, kernels: Kernels) -> Float[Tensor, "1 c h w"]:
        """One sharp image, made quickly."""
        return restore_with_kernel(
            self.photos,
            kernels,
            encoding=self.encoding,
            jpeg_coarseness=self.jpeg_coarseness,
            known=self.known,
            quick=True,
        )

    def refit(self, kernels: Kernels, image: Float[Tensor, "1 1 h w"]) -> Kernels:
        """The kernel of each photo under which the image becomes it."""
        pairs = zip(brightness(self.photos).split(1), kernels.split(1), strict=True)
        fixed = {"edge_share": _EDGE_SHARE, "faintest": _FAINTEST}
        return torch.cat([refit_kernel(photo, image, own, self.encoding, **fixed) for photo, own in pairs])


def fit_to_improved(shots: Shots, kernels: Kernels, improve: Improve) -> Kernels:
    """The kernels, nearer to those of the photos; as they were where the refiner changes nothing.

    Args:
        shots: All photos.
        kernels: That were found.
        improve: See `BlurEstimate.improve`.
    """
    sample = _most_informative(shots, max(_SIDE, 4 * kernels.shape[-1]))
    for _ in range(_ROUNDS):
        plain = sample.solve(kernels)
        improved = improve(sample.photos, kernels, sample.encoding, plain, sample.known)
        if improved is plain:
            break
        kernels = kernels.lerp(sample.refit(kernels, brightness(plain.lerp(improved, IMPROVED))), _SHARE)
    return kernels


def _most_informative(shots: Shots, side: int) -> Shots:
    """A part of all photos that is enough, where all of them are known."""
    shared = brightness(shots.photos[:1]) * shots.known.amin(0, keepdim=True)
    top, left, height, width = find_informative(shared, _PIXELS, side)
    part = (..., slice(top, top + height), slice(left, left + width))
    return shots._replace(photos=shots.photos[part], known=shots.known[part])
