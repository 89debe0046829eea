"""Deconvolution to light that is nowhere negative, for clipped lamps, highlights and skies, and for text and edges."""

from __future__ import annotations

from torch import Tensor
from typing_extensions import override

from unblur.blur.fft import spectrum
from unblur.solvers.differences import differences, differences_adjoint
from unblur.solvers.iteration import Iteration
from unblur.solvers.sparse_problem import SparseProblem
from unblur.solvers.splitting import SplitVariable

__all__ = ["PositiveLightDirections"]

_STAGES = (0.05, 0.15, 0.4, 1.0)
"""Factors on the penalties. Low penalties let the light of a lamp grow to tens of times what the
sensor holds; higher ones then settle the rest. All numbers here were chosen on synthetic photos of BSDS500 train."""
_STEPS_OF_STAGE = 10
_UNCLIPPED_STEPS_OF_STAGE = 6
"""Where no light was clipped; on 24 such photos of BSDS500 train 10 are not better."""
_QUICK_STEPS_OF_STAGE = 4
_RELAXATION = 1.8
_SIGN_PENALTY = 0.1
_STRENGTHS = 80.0
"""The penalty on gradients is at least so many times the strength of the prior; below, a strong prior oscillates."""


class PositiveLightDirections(Iteration):
    """Alternating direction method of multipliers; splits u = k * x, v = grad x and w = x, which is not negative.

    What rings around a clipped lamp swings below zero as far as above, so that light cannot be negative says more there
    than any prior, and something at every strong edge. Over-relaxed (Eckstein and Bertsekas, Math. Prog. 1992), with
    penalties that rise.

    Args:
        problem: The problem, with what is clipped, if anything is.
        quick: Whether a rough answer will do, such as for comparing kernels.
        record: See `Iteration`; the history is that of `objective` and `residual`.
    """

    def __init__(self, problem: SparseProblem, *, quick: bool = False, record: bool = False) -> None:
        thorough = _UNCLIPPED_STEPS_OF_STAGE if problem.data.saturated is None else _STEPS_OF_STAGE
        self._of_stage = _QUICK_STEPS_OF_STAGE if quick else thorough
        super().__init__(len(_STAGES) * self._of_stage, record=record)
        self._problem = problem
        self._spectrum = problem.operator.gather(spectrum(problem.data.observed)) / problem.photos
        self._latent = problem.image(self._spectrum)
        light = problem.image(problem.operator.spectrum * self._spectrum)
        self._light, self._right, self._down, self._positive = (
            SplitVariable(start, _RELAXATION) for start in (light, *differences(self._latent), self._latent)
        )
        self._enter(0)

    def _enter(self, stage: int) -> None:
        """Take the penalties of a stage; multipliers are kept in units of their penalty."""
        problem, factor = self._problem, _STAGES[stage]
        if stage:
            for split in (self._light, self._right, self._down, self._positive):
                split.scale_multiplier(_STAGES[stage - 1] / factor)
        light_penalty = factor * problem.data_penalty
        self._gradient_penalty = factor * max(problem.gradient_penalty, _STRENGTHS * problem.prior.scale)
        self._sign_penalty = factor * _SIGN_PENALTY
        weight = light_penalty * problem.operator.power + self._gradient_penalty * problem.gradient_power
        self._inverse = weight.add_(self._sign_penalty).reciprocal_()
        self._of_light = problem.operator.spectrum.conj() * (light_penalty * self._inverse)
        self._fit_light = problem.data.proximal_map(light_penalty)
        self._sparsify = problem.prior.proximal_map(self._gradient_penalty)

    @property
    @override
    def latent(self) -> Tensor:
        """In its frame; not negative."""
        return self._positive.value

    @override
    def advance(self) -> None:
        """Light, gradients and signs that agree with photo and prior, then the image that has all three."""
        problem = self._problem
        if self.step and self.step % self._of_stage == 0:
            self._enter(self.step // self._of_stage)
        light, right, down, positive = self._light, self._right, self._down, self._positive
        light.update(problem.image(problem.operator.spectrum * self._spectrum), self._fit_light)
        for split, new in zip((right, down), differences(self._latent), strict=True):
            split.update(new, self._sparsify)
        positive.update(self._latent, lambda image: image.clamp_min(0))
        wanted = differences_adjoint(right.wanted, down.wanted).mul_(self._gradient_penalty)
        wanted.add_(positive.wanted, alpha=self._sign_penalty)
        of_light = problem.operator.gather(self._of_light * spectrum(light.wanted))
        self._spectrum = of_light.add_(spectrum(wanted).mul_(self._inverse))
        self._latent = problem.image(self._spectrum)

    @override
    def measure(self) -> dict[str, float]:
        """Objective and residual."""
        return self._problem.measure(self.latent)
