"""Deconvolution under a sparse-gradient prior (hyper-Laplacian, total variation), borders and saturation unknown."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from typing_extensions import override

from unblur.blur.fft import from_spectrum, spectrum
from unblur.solvers.data_terms import QuadraticData
from unblur.solvers.differences import Images, difference_power, differences, differences_adjoint
from unblur.solvers.frame import Frame
from unblur.solvers.iteration import Iteration
from unblur.solvers.operators import FramedBlur
from unblur.solvers.proximal import shrink

__all__ = ["AlternatingDirections", "HalfQuadratic", "deconvolve_sparse", "pose_sparse"]

_WARM_PENALTIES = (1.0, 8.0, 64.0)
"""Penalties of the half-quadratic start, times the prior's strength."""
_DATA_PENALTY = 0.2
_GRADIENT_PENALTY = 0.02
"""Penalties of the alternating directions that follow; both were chosen on synthetic photos."""


@dataclass(frozen=True)
class _Problem:
    """One photo in its frame, ready for both iterations.

    Attributes:
        frame: Where the photo lies.
        operator: The blur on the frame.
        data: What was observed, with a mask that is 0 outside the photo.
        gradient_power: Power of the difference operator at each frequency.
        prior_strength: Multiplier of the prior.
        exponent: Exponent of the prior.
        data_penalty: Penalty of the split of the reblurred image.
        gradient_penalty: Penalty of the split of the gradients.
    """

    frame: Frame
    operator: FramedBlur
    data: QuadraticData
    gradient_power: Tensor
    prior_strength: float
    exponent: float
    data_penalty: float
    gradient_penalty: float

    def shrink(self, gradients: tuple[Tensor, Tensor], penalty: float) -> tuple[Tensor, Tensor]:
        threshold = self.prior_strength / penalty
        return shrink(gradients[0], threshold, self.exponent), shrink(gradients[1], threshold, self.exponent)

    def image(self, values: Tensor) -> Tensor:
        return from_spectrum(values, self.frame.size)

    def measure(self, latent: Tensor) -> dict[str, float]:
        """Objective, and root mean square of reblurred minus observed inside the photo."""
        reblurred = self.operator.apply(latent)
        right, down = differences(latent)
        prior = right.abs().pow(self.exponent).sum() + down.abs().pow(self.exponent).sum()
        residual = self.frame.crop(self.data.residual(reblurred))
        return {
            "objective": float(self.data.value(reblurred) + self.prior_strength * prior),
            "residual": float(residual.square().mean().sqrt()),
        }


def deconvolve_sparse(
    blurry: Images,
    kernel: Float[Tensor, "#b n kh kw"],
    *,
    prior_strength: float,
    exponent: float = 0.8,
    steps: int = 8,
    penalty: float = 1.0,
    saturation: float | None = None,
    known: Float[Tensor, "#b m h w"] | None = None,
) -> Tensor:
    """The minimiser of `|m (k * x - y)|^2 / 2 + prior_strength * sum |grad x|^exponent`.

    A few half-quadratic steps with rising penalty (Krishnan and Fergus, NIPS 2009, Eq. 3) on the smoothly continued
    photo; then alternating directions with a mask m that is 0 outside the photo, so that nothing has to be invented
    there (Almeida and Figueiredo, IEEE TIP 2013, Eq. 30 to 36), and at saturated pixels that ought to be brighter.

    Args:
        blurry: In [0, 1]; a batch of channels or photos.
        kernel: Sum 1, odd sizes; one for all or one a photo. Several in the place of channels: the channels of
            `blurry` are photos of one image, each with its kernel, whose data terms are added up; the answer has one
            channel.
        prior_strength: Above 0; about 0.02 times the noise's standard deviation plus 1e-4.
        exponent: 1 is anisotropic total variation, 0.8 a hyper-Laplacian.
        steps: Alternating steps; 0 stops after the half-quadratic start.
        penalty: Factor on the penalties of the alternating steps, 1 for photos without clipped light; lower
            ones reach farther with each step, which large clipped areas need, and want more steps.
        saturation: Pixels from this value up were clipped; None: none was.
        known: 1 where the photo counts, 0 where something else lies over it; there, `blurry` only starts the search.
            One for all channels or one for each. None: all of it counts.
    """
    problem = pose_sparse(
        blurry,
        kernel,
        prior_strength=prior_strength,
        exponent=exponent,
        penalty=penalty,
        saturation=saturation,
        known=known,
    )
    start = HalfQuadratic(problem)
    start.run()
    if steps == 0:
        return problem.frame.crop(start.latent)
    return problem.frame.crop(AlternatingDirections(problem, start.latent_spectrum, steps).run())


def pose_sparse(
    blurry: Tensor,
    kernel: Tensor,
    *,
    prior_strength: float,
    exponent: float = 0.8,
    penalty: float = 1.0,
    saturation: float | None = None,
    known: Float[Tensor, "#b m h w"] | None = None,
) -> _Problem:
    """The problem of `deconvolve_sparse`, for callers that own the loop of its two iterations."""
    frame, operator = FramedBlur.around(blurry, kernel)
    inside = frame.place(torch.ones_like(blurry[:1, :1]) if known is None else known)
    saturated = None if saturation is None else frame.place(blurry).ge_(saturation)
    return _Problem(
        frame=frame,
        operator=operator,
        data=QuadraticData(frame.extend(blurry), inside, saturated),
        gradient_power=difference_power(frame.size, blurry),
        prior_strength=prior_strength,
        exponent=exponent,
        data_penalty=penalty * _DATA_PENALTY,
        gradient_penalty=penalty * _GRADIENT_PENALTY,
    )


class HalfQuadratic(Iteration):
    """Half-quadratic splitting, one step for each of a few rising penalties: Krishnan and Fergus (NIPS 2009), Eq. 3.

    Args:
        problem: The problem, as `pose_sparse` returns it.
        record: See `Iteration`; the history is that of `objective` and `residual`.

    Attributes:
        latent_spectrum: Spectrum of the latent image, in its frame.
    """

    def __init__(self, problem: _Problem, *, record: bool = False) -> None:
        super().__init__(len(_WARM_PENALTIES), record=record)
        self._problem = problem
        self._blur_power = problem.operator.power
        operator, observed = problem.operator, problem.data.observed
        self._back_projected = operator.gather(operator.spectrum.conj() * spectrum(observed))
        self._latent = observed[:, : self._back_projected.shape[1]]  # of several photos of one image, the first
        self.latent_spectrum = self._back_projected

    @property
    @override
    def latent(self) -> Tensor:
        """In its frame."""
        return self._latent

    @override
    def advance(self) -> None:
        """Sparse gradients, then the image that has them and explains the photo."""
        problem, weight = self._problem, _WARM_PENALTIES[self.step] * self._problem.prior_strength
        wanted = spectrum(differences_adjoint(*problem.shrink(differences(self._latent), weight)))
        damped = self._blur_power + weight * problem.gradient_power
        # torch divides complex numbers by real ones five times as slowly as it multiplies them.
        self.latent_spectrum = self._back_projected.add(wanted, alpha=weight) * damped.reciprocal_()
        self._latent = problem.image(self.latent_spectrum)

    @override
    def measure(self) -> dict[str, float]:
        """Objective and residual."""
        return self._problem.measure(self._latent)


class AlternatingDirections(Iteration):
    """Alternating direction method of multipliers; splits u = k * x and v = grad x, scaled multipliers.

    Almeida and Figueiredo (IEEE TIP 2013), Eq. 30 to 36.

    Args:
        problem: The problem, as `pose_sparse` returns it.
        start: Spectrum of the latent image to begin with.
        steps: How many.
        record: See `Iteration`; the history is that of `objective` and `residual`.
    """

    def __init__(self, problem: _Problem, start: Tensor, steps: int, *, record: bool = False) -> None:
        super().__init__(steps, record=record)
        self._problem, self._spectrum = problem, start
        damped = problem.data_penalty * problem.operator.power + problem.gradient_penalty * problem.gradient_power
        damped.clamp_min_(1e-9).reciprocal_()
        self._of_light = problem.operator.spectrum.conj() * (problem.data_penalty * damped)
        self._of_gradients = problem.gradient_penalty * damped
        self._latent = problem.image(start)
        self._light_gap, self._right_gap, self._down_gap = (torch.zeros_like(self._latent) for _ in range(3))

    @property
    @override
    def latent(self) -> Tensor:
        """In its frame."""
        return self._latent

    @override
    def advance(self) -> None:
        """Light and gradients that agree with photo and prior, then the image that has both."""
        problem = self._problem
        reblurred = problem.image(problem.operator.spectrum * self._spectrum).add_(self._light_gap)
        light = problem.data.prox(reblurred, problem.data_penalty)
        self._light_gap = reblurred.sub_(light)
        right, down = differences(self._latent)
        right, down = right.add_(self._right_gap), down.add_(self._down_gap)
        sparse_right, sparse_down = problem.shrink((right, down), problem.gradient_penalty)
        self._right_gap, self._down_gap = right.sub_(sparse_right), down.sub_(sparse_down)
        wanted = differences_adjoint(sparse_right.sub_(self._right_gap), sparse_down.sub_(self._down_gap))
        of_light = problem.operator.gather(self._of_light * spectrum(light.sub_(self._light_gap)))
        self._spectrum = of_light + self._of_gradients * spectrum(wanted)
        self._latent = problem.image(self._spectrum)

    @override
    def measure(self) -> dict[str, float]:
        """Objective and residual."""
        return self._problem.measure(self._latent)
