"""Deconvolution under a sparse-gradient prior (hyper-Laplacian, total variation), borders and saturation unknown."""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor
from typing_extensions import override

from unblur.blur.fft import spectrum
from unblur.solvers.differences import Images, differences, differences_adjoint
from unblur.solvers.iteration import Iteration
from unblur.solvers.positive_light import PositiveLightDirections
from unblur.solvers.sparse_problem import SparseProblem, pose_sparse
from unblur.solvers.splitting import SplitVariable

__all__ = ["AlternatingDirections", "HalfQuadratic", "deconvolve_sparse"]

_WARM_PENALTIES = (1.0, 8.0, 64.0)
"""Penalties of the half-quadratic start, times the prior's strength."""


def deconvolve_sparse(
    blurry: Images,
    kernel: Float[Tensor, "#b n kh kw"],
    *,
    prior_strength: float | tuple[float, float, float],
    exponent: float = 0.8,
    steps: int = 8,
    saturation: float | None = None,
    quick: bool = False,
    known: Float[Tensor, "#b m h w"] | None = None,
    positive: bool = False,
    on_share: Callable[[float], None] | None = None,
) -> Tensor:
    """The minimiser of `|m (k * x - y)|^2 / 2 + prior_strength * sum |grad x|^exponent`.

    A few half-quadratic steps with rising penalty (Krishnan and Fergus, NIPS 2009, Eq. 3) on the smoothly continued
    photo; then alternating directions with a mask m that is 0 outside the photo, so that nothing has to be invented
    there (Almeida and Figueiredo, IEEE TIP 2013, Eq. 30 to 36). Where light was clipped, or is to be nowhere negative,
    other steps take the place of both: see `PositiveLightDirections`.

    Args:
        blurry: In [0, 1]; a batch of channels or photos.
        kernel: Sum 1, odd sizes; one for all or one a photo. Several in the place of channels: the channels of
            `blurry` are photos of one image, each with its kernel, whose data terms are added up; the answer has one
            channel.
        prior_strength: Above 0; about 0.02 times the noise's standard deviation plus 1e-4. Three: the batch is the
            colours of one image, and these are those of their mean and of both differences, see `SparseGradients`.
        exponent: 1 is anisotropic total variation, 0.8 a hyper-Laplacian.
        steps: Alternating steps; 0 stops after the half-quadratic start. Positive light has a number of its own.
        saturation: Pixels from this value up were clipped; None: none was.
        quick: Whether a rough answer will do where light is positive, which takes many steps.
        known: 1 where the photo counts, 0 where something else lies over it; there, `blurry` only starts the search.
            One for all channels or one for each. None: all of it counts.
        positive: Whether x may not be negative also where no light was clipped.
        on_share: See `Iteration.run`.
    """
    problem = pose_sparse(
        blurry,
        kernel,
        prior_strength=prior_strength,
        exponent=exponent,
        saturation=saturation,
        known=known,
    )
    if positive or problem.data.saturated is not None:
        return problem.frame.crop(PositiveLightDirections(problem, quick=quick).run(on_share))
    start = HalfQuadratic(problem)
    first = start.steps / (start.steps + steps)
    start.run(_part_of(on_share, 0, first))
    if steps == 0:
        return problem.frame.crop(start.latent)
    directions = AlternatingDirections(problem, start.latent_spectrum, steps)
    return problem.frame.crop(directions.run(_part_of(on_share, first, 1)))


def _part_of(on_share: Callable[[float], None] | None, start: float, stop: float) -> Callable[[float], None] | None:
    """Reports the share of a part of the work as that of all of it."""
    return None if on_share is None else lambda share: on_share(start + share * (stop - start))


class HalfQuadratic(Iteration):
    """Half-quadratic splitting, one step for each of a few rising penalties: Krishnan and Fergus (NIPS 2009), Eq. 3.

    Args:
        problem: The problem, as `pose_sparse` returns it.
        record: See `Iteration`; the history is that of `objective` and `residual`.

    Attributes:
        latent_spectrum: Spectrum of the latent image, in its frame.
    """

    def __init__(self, problem: SparseProblem, *, record: bool = False) -> None:
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
        problem, weight = self._problem, _WARM_PENALTIES[self.step] * self._problem.prior.scale
        wanted = spectrum(differences_adjoint(*map(problem.prior.proximal_map(weight), differences(self._latent))))
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

    def __init__(self, problem: SparseProblem, start: Tensor, steps: int, *, record: bool = False) -> None:
        super().__init__(steps, record=record)
        self._problem, self._spectrum = problem, start
        damped = problem.data_penalty * problem.operator.power + problem.gradient_penalty * problem.gradient_power
        damped.clamp_min_(1e-9).reciprocal_()
        self._of_light = problem.operator.spectrum.conj() * (problem.data_penalty * damped)
        self._of_gradients = problem.gradient_penalty * damped
        self._latent = problem.image(start)
        self._light, self._right, self._down = (
            SplitVariable(torch.zeros_like(like)) for like in (problem.data.observed, self._latent, self._latent)
        )
        self._fit_light = problem.data.proximal_map(problem.data_penalty)
        self._sparsify = problem.prior.proximal_map(problem.gradient_penalty)

    @property
    @override
    def latent(self) -> Tensor:
        """In its frame."""
        return self._latent

    @override
    def advance(self) -> None:
        """Light and gradients that agree with photo and prior, then the image that has both."""
        problem = self._problem
        light, right, down = self._light, self._right, self._down
        light.update(problem.image(problem.operator.spectrum * self._spectrum), self._fit_light)
        for split, new in zip((right, down), differences(self._latent), strict=True):
            split.update(new, self._sparsify)
        of_light = problem.operator.gather(self._of_light * spectrum(light.wanted))
        of_gradients = spectrum(differences_adjoint(right.wanted, down.wanted)).mul_(self._of_gradients)
        self._spectrum = of_light.add_(of_gradients)
        self._latent = problem.image(self._spectrum)

    @override
    def measure(self) -> dict[str, float]:
        """Objective and residual."""
        return self._problem.measure(self._latent)
