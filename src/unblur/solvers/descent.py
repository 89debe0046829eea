"""Descent on any objective, for operators and priors without a quicker solver: accelerated, projected, or by Adam."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import torch
from torch import Tensor
from typing_extensions import override

from unblur.solvers.adam import Adam
from unblur.solvers.data_terms import QuadraticData
from unblur.solvers.iteration import Iteration
from unblur.solvers.operators import BlurOperator

__all__ = ["AcceleratedDescent", "AdamDescent", "HyperLaplacian", "Prior", "deconvolve_by_descent"]

_RANGE_STEPS = 8
_DECAYS = (0.9, 0.99)
"""Of Adam's means."""


class Prior(Protocol):
    """A belief about sharp images as a penalty; its gradient comes from automatic differentiation."""

    def value(self, image: Tensor) -> Tensor:
        """The penalty of an image `(B, C, H, W)`, a scalar; low for images that the prior believes in."""
        ...


class HyperLaplacian:
    """Sparse gradients: `sum of (|grad x|^2 + e^2)^(p / 2)`, smooth at 0.

    Args:
        exponent: p; 1 is total variation, 0.8 suits photos (Krishnan and Fergus, NIPS 2009).
        softness: e: gradients far below it count quadratically.
    """

    def __init__(self, exponent: float = 0.8, softness: float = 0.01) -> None:
        self._exponent, self._softness = exponent, softness

    def value(self, image: Tensor) -> Tensor:
        """See `Prior.value`."""
        right, down = torch.diff(image, dim=-1)[..., :-1, :], torch.diff(image, dim=-2)[..., :, :-1]
        return (right.square() + down.square() + self._softness**2).pow(self._exponent / 2).sum()


class AcceleratedDescent(Iteration):
    """Projected gradient descent with momentum: FISTA (Beck and Teboulle, SIAM J. Imaging Sciences 2009).

    Args:
        slope: Gradient of the objective.
        project: Onto the set of what is allowed, such as what is not negative.
        start: Where to begin.
        rate: Length of a step: at most one over the largest curvature of the objective.
        steps: How many.
        objective: Objective for the history.
        record: See `Iteration`; the history is that of `objective`.
    """

    def __init__(
        self,
        slope: Callable[[Tensor], Tensor],
        project: Callable[[Tensor], Tensor],
        start: Tensor,
        rate: float | Tensor,
        steps: int,
        *,
        objective: Callable[[Tensor], Tensor] | None = None,
        record: bool = False,
    ) -> None:
        super().__init__(steps, record=record)
        self._slope, self._project, self._objective = slope, project, objective
        self._rate = torch.as_tensor(rate, dtype=start.dtype, device=start.device)
        self._latent, self._ahead, self._momentum = start, start, 1.0

    @property
    @override
    def latent(self) -> Tensor:
        return self._latent

    @override
    def advance(self) -> None:
        """A step from the point ahead."""
        stepped = self._project(torch.addcmul(self._ahead, self._rate, self._slope(self._ahead), value=-1))
        momentum = (1 + (1 + 4 * self._momentum**2) ** 0.5) / 2
        self._ahead = torch.lerp(self._latent, stepped, 1 + (self._momentum - 1) / momentum)
        self._latent, self._momentum = stepped, momentum

    @override
    def measure(self) -> dict[str, float]:
        """The objective, where it was given."""
        return {} if self._objective is None else {"objective": float(self._objective(self._latent))}


class AdamDescent(Iteration):
    """Descent by Adam on an objective that automatic differentiation can follow; the rate falls to a tenth.

    Args:
        objective: A scalar, to be made small.
        start: Where to begin; it stays as it is.
        rate: First length of a step, in units of intensity.
        steps: How many.
        record: See `Iteration`; the history is that of `objective`.
    """

    def __init__(
        self, objective: Callable[[Tensor], Tensor], start: Tensor, *, rate: float, steps: int, record: bool = False
    ) -> None:
        super().__init__(steps, record=record)
        self._objective, self._first_rate = objective, rate
        self._latent = start.detach().clone().requires_grad_()
        self._adam = Adam([self._latent], decays=_DECAYS)

    @property
    @override
    def latent(self) -> Tensor:
        return self._latent.detach()

    @override
    def advance(self) -> None:
        """One step of Adam."""
        with torch.enable_grad():
            torch.autograd.backward(self._objective(self._latent), inputs=[self._latent])
        self._adam.step(self._first_rate * (1 - 0.9 * self.step / self.steps))

    @override
    def measure(self) -> dict[str, float]:
        """The objective."""
        return {"objective": float(self._objective(self.latent))}


def deconvolve_by_descent(
    blurry: Tensor,
    operator: BlurOperator,
    *,
    prior: Prior,
    prior_strength: float,
    steps: int = 60,
    record: bool = False,
) -> AcceleratedDescent:
    """An iteration towards the minimiser of `|A x - y|^2 / 2 + prior_strength * prior(x)` for any operator A.

    Args:
        blurry: `(B, C, H, W)` in [0, 1], of the size that the operator gives.
        operator: The blur, of images of the size of `blurry`.
        prior: See `Prior`.
        prior_strength: Its multiplier.
        steps: How many; each costs one pass through the operator and one through its adjoint.
        record: See `Iteration`.
    """
    data = QuadraticData(blurry, torch.ones_like(blurry[:1, :1]))

    def objective(image: Tensor) -> Tensor:
        return data.value(operator.apply(image)) + prior_strength * prior.value(image)

    def slope(image: Tensor) -> Tensor:
        with torch.enable_grad():
            watched = image.detach().requires_grad_()
            (of_prior,) = torch.autograd.grad(prior.value(watched), watched)
        return operator.adjoint(data.residual(operator.apply(image))) + prior_strength * of_prior

    # The steepest curvature along a few random and a few steepest directions, with room.
    rate = 0.7 / _steepest_curvature(slope, blurry)
    return AcceleratedDescent(
        slope, lambda image: image.clamp(0, 1), blurry, rate, steps, objective=objective, record=record
    )


def _steepest_curvature(slope: Callable[[Tensor], Tensor], at: Tensor) -> float:
    """The largest curvature by power iteration on differences of slopes, small steps around an image."""
    generator = torch.Generator().manual_seed(0)
    direction = torch.randn(at.shape, generator=generator).to(at)
    here, curvature = slope(at), 1.0
    for _ in range(_RANGE_STEPS):
        direction = direction / direction.norm() * (1e-2 * at.numel() ** 0.5)
        change = slope(at + direction) - here
        curvature = max(float(change.norm() / direction.norm()), 1e-6)
        direction = change
    return curvature
