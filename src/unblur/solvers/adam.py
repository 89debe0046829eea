"""Steps of Adam (Kingma and Ba, ICLR 2015)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor
from torch.optim.adam import adam

__all__ = ["Adam"]

_LEAST_SPREAD = 1e-8
"""Keeps a division finite."""


class Adam:
    """Adam for some weights, which have the same rate.

    It takes the steps of `torch.optim.Adam`, by the same function. That class loads torch's compiler at its first use
    in a process, which takes more than a second.

    Args:
        weights: Leaf tensors that require a gradient.
        decays: Of the means of the gradient and of its square.
    """

    def __init__(self, weights: Sequence[Tensor], *, decays: tuple[float, float] = (0.9, 0.999)) -> None:
        self._weights, self._decays = list(weights), decays
        self._means = [torch.zeros_like(weight) for weight in self._weights]
        self._powers = [torch.zeros_like(weight) for weight in self._weights]
        self._counts = [torch.zeros((), device=weight.device) for weight in self._weights]

    @torch.no_grad()
    def step(self, rate: float) -> None:
        """Change in place each weight that has a gradient, then forget the gradients.

        Args:
            rate: Length of the step.
        """
        known = [
            (weight, weight.grad, *moments)
            for weight, *moments in zip(self._weights, self._means, self._powers, self._counts, strict=True)
            if weight.grad is not None
        ]
        if not known:
            return
        weights, slopes, means, powers, counts = (list(values) for values in zip(*known, strict=True))
        adam(
            weights,
            slopes,
            means,
            powers,
            [],
            counts,
            fused=True,  # one pass over all weights instead of a dozen
            amsgrad=False,
            beta1=self._decays[0],
            beta2=self._decays[1],
            lr=rate,
            weight_decay=0.0,
            eps=_LEAST_SPREAD,
            maximize=False,
        )
        for weight in weights:
            weight.grad = None

    def state(self) -> dict[str, list[Tensor]]:
        """What the next steps depend on, beside the weights."""
        return {"means": self._means, "powers": self._powers, "counts": self._counts}

    def load(self, state: Mapping[str, Sequence[Tensor]]) -> None:
        """Go on from what `state` gave for weights of the same shapes."""
        for own, kept in (
            (self._means, state["means"]),
            (self._powers, state["powers"]),
            (self._counts, state["counts"]),
        ):
            for value, saved in zip(own, kept, strict=True):
                value.copy_(saved)
