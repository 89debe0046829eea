"""Deconvolution under a sparse-gradient prior (hyper-Laplacian, total variation), borders and saturation unknown."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from unblur.blur.fft import from_spectrum, kernel_spectrum, power, spectrum
from unblur.solvers.differences import Images, difference_power, differences, differences_adjoint
from unblur.solvers.frame import Frame
from unblur.solvers.proximal import shrink

__all__ = ["deconvolve_sparse"]

_WARM_PENALTIES = (1.0, 8.0, 64.0)
"""Penalties of the half-quadratic start, times the prior's strength."""
_DATA_PENALTY = 0.2
_GRADIENT_PENALTY = 0.02
"""Penalties of the alternating directions that follow; both were chosen on synthetic photos."""


@dataclass(frozen=True)
class _Problem:
    """One photo in its frame, ready for both solvers.

    Attributes:
        trust: How far the light goes from what is reblurred to what is observed: 0 outside the photo.
        saturated: 1 where the photo is clipped, else 0.
    """

    frame: Frame
    blur: Tensor
    blur_power: Tensor
    gradient_power: Tensor
    observed: Tensor
    trust: Tensor
    saturated: Tensor | None
    prior_strength: float
    exponent: float
    data_penalty: float
    gradient_penalty: float

    def shrink(self, gradients: tuple[Tensor, Tensor], penalty: float) -> tuple[Tensor, Tensor]:
        threshold = self.prior_strength / penalty
        return shrink(gradients[0], threshold, self.exponent), shrink(gradients[1], threshold, self.exponent)

    def image(self, values: Tensor) -> Tensor:
        return from_spectrum(values, self.frame.size)

    def agree(self, reblurred: Tensor) -> Tensor:
        """The light near `reblurred` that agrees with what was observed: proximal map of the data term."""
        light = torch.lerp(reblurred, self.observed, self.trust)
        if self.saturated is None:
            return light
        # A clipped pixel only says that there was at least so much light.
        return light.addcmul_(self.saturated, (reblurred - light).clamp_min_(0))


def deconvolve_sparse(
    blurry: Images,
    kernel: Float[Tensor, "b 1 kh kw"],
    *,
    prior_strength: float,
    exponent: float = 0.8,
    steps: int = 8,
    penalty: float = 1.0,
    saturation: float | None = None,
) -> Images:
    """The minimiser of `|m (k * x - y)|^2 / 2 + prior_strength * sum |grad x|^exponent`.

    A few half-quadratic steps with rising penalty (Krishnan and Fergus, NIPS 2009, Eq. 3) on the smoothly continued
    photo; then alternating directions with a mask m that is 0 outside the photo, so that nothing has to be invented
    there (Almeida and Figueiredo, IEEE TIP 2013, Eq. 30 to 36), and at saturated pixels that ought to be brighter.

    Args:
        blurry: In [0, 1]; a batch of channels or photos.
        kernel: Sum 1, odd sizes; one for all or one a photo.
        prior_strength: Above 0; about 0.02 times the noise's standard deviation plus 1e-4.
        exponent: 1 is anisotropic total variation, 0.8 a hyper-Laplacian.
        steps: Alternating steps; 0 stops after the half-quadratic start.
        penalty: Of the alternating steps, over what suits photos without clipped light; lower ones reach farther with
            each step, which large clipped areas need, and want more steps.
        saturation: Pixels from this value up were clipped; None: none was.
    """
    problem = _pose(
        blurry, kernel, prior_strength=prior_strength, exponent=exponent, penalty=penalty, saturation=saturation
    )
    latent_spectrum = _start(problem)
    if steps == 0:
        return problem.frame.crop(problem.image(latent_spectrum))
    return problem.frame.crop(_alternate(problem, latent_spectrum, steps))


def _pose(
    blurry: Tensor,
    kernel: Tensor,
    *,
    prior_strength: float,
    exponent: float,
    penalty: float,
    saturation: float | None,
) -> _Problem:
    frame = Frame.around((blurry.shape[-2], blurry.shape[-1]), (kernel.shape[-2], kernel.shape[-1]))
    blur = kernel_spectrum(kernel, frame.size)
    inside = frame.place(torch.ones_like(blurry[:1, :1]))
    return _Problem(
        frame=frame,
        blur=blur,
        blur_power=power(blur),
        gradient_power=difference_power(frame.size, blurry),
        observed=frame.extend(blurry),
        trust=inside / (inside + penalty * _DATA_PENALTY),
        saturated=None if saturation is None else frame.place(blurry).ge_(saturation),
        prior_strength=prior_strength,
        exponent=exponent,
        data_penalty=penalty * _DATA_PENALTY,
        gradient_penalty=penalty * _GRADIENT_PENALTY,
    )


def _start(problem: _Problem) -> Tensor:
    """Half-quadratic splitting, one step a penalty; the spectrum of the latent image."""
    back_projected = problem.blur.conj() * spectrum(problem.observed)
    latent = problem.observed
    latent_spectrum = back_projected
    for penalty in _WARM_PENALTIES:
        weight = penalty * problem.prior_strength
        wanted = spectrum(differences_adjoint(*problem.shrink(differences(latent), weight)))
        damped = problem.blur_power + weight * problem.gradient_power
        # torch divides complex numbers by real ones five times as slowly as it multiplies them.
        latent_spectrum = back_projected.add(wanted, alpha=weight) * damped.reciprocal_()
        latent = problem.image(latent_spectrum)
    return latent_spectrum


def _alternate(problem: _Problem, latent_spectrum: Tensor, steps: int) -> Tensor:
    """Alternating direction method of multipliers; splits u = k * x and v = grad x, scaled multipliers."""
    damped = problem.data_penalty * problem.blur_power + problem.gradient_penalty * problem.gradient_power
    damped.clamp_min_(1e-9).reciprocal_()
    of_light, of_gradients = problem.blur.conj() * (problem.data_penalty * damped), problem.gradient_penalty * damped
    latent = problem.image(latent_spectrum)
    light_gap, right_gap, down_gap = (torch.zeros_like(latent) for _ in range(3))
    for _ in range(steps):
        reblurred = problem.image(problem.blur * latent_spectrum).add_(light_gap)
        light = problem.agree(reblurred)
        light_gap = reblurred.sub_(light)
        right, down = differences(latent)
        right, down = right.add_(right_gap), down.add_(down_gap)
        sparse_right, sparse_down = problem.shrink((right, down), problem.gradient_penalty)
        right_gap, down_gap = right.sub_(sparse_right), down.sub_(sparse_down)
        wanted = differences_adjoint(sparse_right.sub_(right_gap), sparse_down.sub_(down_gap))
        latent_spectrum = of_light * spectrum(light.sub_(light_gap)) + of_gradients * spectrum(wanted)
        latent = problem.image(latent_spectrum)
    return latent
