"""An optimiser for convolutional networks that are short of steps."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

__all__ = ["Muon", "orthogonalise"]

_POLYNOMIAL = (3.4445, -4.7750, 2.0315)
"""Brings singular values between 0 and 1 to about 1 within a few iterations; coefficients of Jordan (2024)."""
_ITERATIONS = 5
_STEP_SIZE = 0.2
"""Root mean square of an Adam step at rate 1: scaled to it, one learning rate fits matrices and vectors."""


class Muon(Optimizer):
    """Momentum whose steps turn every direction of a weight matrix by the same amount.

    A convolution counts as a matrix with a row for each of the channels it gives. A descent step is dominated by the
    few directions of steep loss; here all directions move equally. Weights that are no matrices
    (biases, scales) follow Adam. After Jordan, "Muon: an optimizer for hidden layers in neural networks" (2024), with
    the step size of Liu et al., "Muon is scalable for LLM training" (arXiv 2502.16982); `torch.optim.Muon` takes flat
    matrices alone.

    Args:
        params: Weights, or groups of them.
        lr: Learning rate; the same means about the same size of step as with Adam.
        momentum: Momentum of matrices.
        betas: Adam's betas, for all other weights.
    """

    def __init__(
        self,
        params: Iterable[nn.Parameter] | Iterable[dict[str, Any]],
        lr: float = 2e-3,
        *,
        momentum: float = 0.95,
        betas: tuple[float, float] = (0.9, 0.999),
    ) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum, "betas": betas})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> Any:
        """One step along the gradients that are there."""
        loss: float | None = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is not None:
                    move = _matrix_step if weight.ndim > 1 else _adam_step
                    weight.add_(move(weight.grad, self.state[weight], group), alpha=-group["lr"])
        return loss


def orthogonalise(matrix: Tensor) -> Tensor:
    """The matrix `(r, c)` with all its singular values brought to between 0.7 and 1.2, in float32."""
    values = matrix.float()
    tall = values.shape[0] > values.shape[1]
    values = values.T if tall else values
    values = values / values.norm().clamp_min(1e-12)
    first, third, fifth = _POLYNOMIAL
    for _ in range(_ITERATIONS):
        square = values @ values.T
        values = first * values + (third * square + fifth * square @ square) @ values
    return values.T if tall else values


def _matrix_step(gradient: Tensor, notes: dict[str, Tensor], group: dict[str, Any]) -> Tensor:
    mean = notes.setdefault("mean", torch.zeros_like(gradient)).lerp_(gradient, 1 - group["momentum"])
    ahead = gradient.lerp(mean, group["momentum"]).flatten(1)
    return orthogonalise(ahead).mul_(_STEP_SIZE * math.sqrt(max(ahead.shape))).view_as(gradient).to(gradient.dtype)


def _adam_step(gradient: Tensor, notes: dict[str, Tensor], group: dict[str, Any]) -> Tensor:
    mean, square, step = (
        notes.setdefault(name, torch.zeros_like(gradient) if name != "step" else gradient.new_zeros(()))
        for name in ("mean", "square", "step")
    )
    slow, slower = group["betas"]
    step += 1
    mean.lerp_(gradient, 1 - slow)
    square.lerp_(gradient.square(), 1 - slower)
    size = (square / (1 - slower**step)).sqrt_().add_(1e-8)
    return mean / (1 - slow**step) / size
