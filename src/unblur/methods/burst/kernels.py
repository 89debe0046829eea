"""The kernel of each photo of a burst, by alternation with the one sharp image that all of them show.

What one kernel removes, another one kept, so the image is far better known than from one photo, and so are then the
kernels (multi-frame blind deconvolution; Sroubek and Milanfar, IEEE TIP 2012).
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from unblur.blur.fft import kernel_spectrum, power
from unblur.methods.kernel_search.kernel_step import Gradients, drop_faint, fit_kernel
from unblur.solvers.differences import difference_power, differences
from unblur.solvers.frame import Frame
from unblur.solvers.half_quadratic import deconvolve_sparse
from unblur.solvers.photo import estimate_noise
from unblur.solvers.registry import suitable_strength

__all__ = ["estimate_latent", "fit_burst_kernels", "fit_each_kernel"]

_ROUNDS = 12
_FIRST, _RATIO, _LAST = 32.0, 0.7, 4.0
"""Strength of the prior over the one that suits the noise: in the first round, from round to round, and in the end: a
smoother image than the final one keeps the kernels from fitting noise."""
_AVERAGED = 4
"""The kernels are the mean of those of the last rounds, whose errors differ."""
_STEPS = 2
_WHITENING, _DAMPING = 0.03, 0.01
"""As for the search of one kernel, see `Hypothesis.whitening`."""
_FAINTEST = 0.05

Photos = Float[Tensor, "n 1 h w"]
Kernels = Float[Tensor, "n 1 k k"]


def fit_burst_kernels(
    photos: Photos, latent: Float[Tensor, "1 1 h w"], start: Kernels, on_round: Callable[[float], None]
) -> Kernels:
    """The kernels that, with one image, explain all photos best.

    All numbers were chosen on synthetic bursts of BSDS500.

    Args:
        photos: Brightness in the encoding of the blur, of one exposure, aligned up to half the kernels' box.
        latent: The image to begin with, such as the answer to one photo.
        start: Kernels to begin with; their box is kept.
        on_round: Called with the share that is done; raises to stop.
    """
    kernels, found = start, list[Tensor]()
    noise = max(estimate_noise(photo) for photo in photos.split(1))
    for done in range(_ROUNDS):
        kernels = fit_each_kernel(photos, latent, kernels, _FAINTEST)
        smoothness = max(_FIRST * _RATIO**done, _LAST)
        latent = estimate_latent(photos, kernels, noise, smoothness=smoothness, steps=_STEPS)
        found.append(kernels)
        on_round((done + 1) / _ROUNDS)
    return torch.stack(found[-_AVERAGED:]).mean(0)


def estimate_latent(
    photos: Photos, kernels: Kernels, noise: float, *, smoothness: float = 1.0, steps: int = 8
) -> Float[Tensor, "1 1 h w"]:
    """The one image of all photos, in their encoding.

    Args:
        photos: As for `fit_burst_kernels`.
        kernels: One for each photo.
        noise: Standard deviation of the noise of a photo.
        smoothness: 1 suits the noise.
        steps: See `deconvolve_sparse`.
    """
    strength = smoothness * suitable_strength(noise)
    # The channels of one image are the photos.
    return deconvolve_sparse(photos.transpose(0, 1), kernels.transpose(0, 1), prior_strength=strength, steps=steps)


def fit_each_kernel(photos: Photos, latent: Float[Tensor, "1 1 h w"], kernels: Kernels, faintest: float) -> Kernels:
    """The kernel of each photo, given the image; not centred: where their light lies is what shifts the photos.

    Args:
        photos: As for `fit_burst_kernels`.
        latent: The image.
        kernels: What to begin with.
        faintest: Share of the largest value of a kernel below which a value becomes zero.
    """
    side = kernels.shape[-1]
    frame = Frame.around((photos.shape[-2], photos.shape[-1]), (side, side))
    inside = frame.place(torch.ones_like(latent), margin=1)
    own, blurry = (_gradients(frame.extend(one), inside) for one in (latent, photos))
    blur_power = power(kernel_spectrum(kernels, frame.size))
    weight = 1 / (blur_power + _WHITENING * difference_power(frame.size, photos) + _DAMPING)
    found = fit_kernel(own, blurry, kernels, frame.size, weight)
    return drop_faint(found, kernels, found.new_full((1, 1, 1, 1), faintest))


def _gradients(framed: Tensor, inside: Tensor) -> Gradients:
    right, down = differences(framed)
    return Gradients.of(right * inside, down * inside)
