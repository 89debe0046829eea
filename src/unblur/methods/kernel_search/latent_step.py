"""The latent image, given the kernel: sharp where edges are certain, plain elsewhere; and those of its edges."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from jaxtyping import Complex, Float
from torch import Tensor

from unblur.blur.fft import from_spectrum, multiply_conjugate, power, spectrum
from unblur.methods.kernel_search.kernel_step import Gradients
from unblur.solvers.differences import difference_power, differences, differences_adjoint
from unblur.solvers.frame import Frame
from unblur.solvers.priors import LatentPrior

__all__ = ["LatentStep"]

_FIRST_PENALTY = 8.0
"""The splitting penalty at first over the strength of the prior: no gradient is kept whose square is not above its
inverse, and hardly any is so strong."""
_RISE = 2.4
"""Its growth from step to step. With these numbers a search takes three quarters of the time that it takes with a
penalty that doubles from 2 to 100, and 40 photos of BSDS500 train under shake, lines and disks gain 4.66, not 4.53 dB
(the best of all hypotheses: 4.99, not 5.01)."""
_DAMPING = 0.01
"""Keeps the weight of frequencies that the kernel removes finite."""
_SAMPLES = 20_000


class LatentStep:
    """Makes latent images of photos, whatever their kernels.

    Args:
        photos: `(B, 1, h, w)` in [0, 1].
        box: Odd side of the largest kernel.
        prior: What a sharp image looks like.
        final_penalty: The splitting penalty rises up to this.

    Attributes:
        frame: That all spectra are on.
        blurry: Gradients of the photos.
    """

    def __init__(self, photos: Float[Tensor, "b 1 h w"], box: int, prior: LatentPrior, final_penalty: float) -> None:
        self.frame = frame = Frame.around((photos.shape[-2], photos.shape[-1]), (box, box))
        self._prior, self._final_penalty = prior, final_penalty
        observed = frame.extend(photos)
        self._observed = spectrum(observed)
        self._difference_power = difference_power(frame.size, photos)
        # The gradients of the last row and column look at what is not known.
        self._inside = frame.place(torch.ones_like(photos[:1]), margin=1)
        right, down = differences(observed)
        self.blurry = Gradients.of(right * self._inside, down * self._inside)

    def sharpen(
        self, blur: Complex[Tensor, "b 1 fh fw"], strength: Float[Tensor, "#b 1 1 1"]
    ) -> Float[Tensor, "b 1 fh _fw"]:
        """The latent image under the prior: half-quadratic splitting with a penalty that rises.

        Args:
            blur: Spectra of the kernels.
            strength: Multiplier of the prior.
        """
        blur_power, size = power(blur), self.frame.size
        back_projected = multiply_conjugate(blur, self._observed)
        penalty = _FIRST_PENALTY * strength
        # torch divides complex numbers by real ones five times as slowly as it multiplies them.
        inverse = (blur_power + penalty * self._difference_power).reciprocal_()
        latent = from_spectrum(back_projected * inverse, size)
        while float(penalty.min()) < self._final_penalty:
            penalty = _RISE * penalty
            wanted = penalty * differences_adjoint(*self._prior.sparsify(*differences(latent), strength, penalty))
            weight = blur_power + penalty * self._difference_power
            favoured = self._prior.favour(latent, strength, penalty)
            if favoured is not None:
                wanted, weight = wanted + favoured.weight * favoured.image, weight + favoured.weight
            latent = from_spectrum((back_projected + spectrum(wanted)) * weight.reciprocal_(), size)
        return latent

    def certain_edges(self, latent: Float[Tensor, "b 1 fh _fw"], shares: Sequence[float]) -> Gradients:
        """Those gradients of the latent images that are inside the photo and among its strongest.

        Args:
            latent: From `sharpen`.
            shares: How many of its gradients are kept, for each image; one number: among all of them.
        """
        right, down = differences(latent)
        kept = self._inside
        if any(share < 1 for share in shares):
            length = right.square().add_(down.square())
            every = max(1, math.prod(self.frame.photo) // _SAMPLES)
            samples = self.frame.crop(length).flatten(1)[:, ::every].reshape(len(shares), -1)
            thresholds = [_quantile(one, max(1 - share, 0.0)) for one, share in zip(samples, shares, strict=True)]
            kept = length.ge_(torch.stack(thresholds).view(-1, 1, 1, 1)).mul_(self._inside)
        return Gradients.of(right * kept, down * kept)

    def weights(
        self, blur: Complex[Tensor, "b 1 fh fw"], whitening: Sequence[float | None]
    ) -> Float[Tensor, "b 1 fh fw"] | None:
        """How much each frequency of the misfit weighs: one over its variance; None: all the same.

        Args:
            blur: Spectra of the kernels.
            whitening: For each image: variance of the noise over that of the details that the latent image lacks; None:
                every frequency weighs the same.
        """
        if not any(whitening):
            return None
        variances = [
            one + noise * self._difference_power + _DAMPING if noise else torch.ones_like(one)
            for one, noise in zip(power(blur), whitening, strict=True)
        ]
        return 1 / torch.stack(variances)


def _quantile(values: Tensor, share: float) -> Tensor:
    """The value below which that share of all values lies; `torch.quantile` sorts them all and takes far longer."""
    return values.kthvalue(1 + round(share * (len(values) - 1))).values
