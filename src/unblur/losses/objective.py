"""Objectives: the interface between training and a method."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol, runtime_checkable

from torch import Tensor, nn

__all__ = ["AdversarialObjective", "Objective"]


@runtime_checkable
class Objective(Protocol):
    """A loss with the network that it trains; an `nn.Module`, so that it can be moved and stored.

    All weights with `requires_grad` are trained.

    Attributes:
        network: The part that is averaged and exported.
        term_weights: Multiplier of each term of `forward`; a term without one is only logged.
    """

    network: nn.Module
    term_weights: dict[str, float]

    def forward(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The terms of the loss by name, each a scalar."""
        ...

    def project(self) -> None:
        """Project the weights onto the allowed set; called after each step of the optimiser."""
        ...

    def evaluate(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Scores of a validation batch by name, each `(B,)`."""
        ...

    def pictures(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Images and kernels for TensorBoard by name, each `(B, 1 or 3, h, w)` in [0, 1]."""
        ...

    def metadata(self) -> dict[str, str]:
        """Metadata of the exported file: `method`, `arch`, `arch_config`."""
        ...


@runtime_checkable
class AdversarialObjective(Protocol):
    """An objective of adversarial networks, which are trained in alternation in every step.

    Attributes:
        players: The networks in the order of their turns; each has an optimiser of its own. The last turn
            counts as the step.
    """

    players: Mapping[str, nn.Module]

    def turns(self, batch: Mapping[str, Tensor]) -> Iterator[dict[str, Tensor]]:
        """The terms of each player's loss by name, in order; between two of them the previous player takes its step.

        A turn must leave the other players without gradients.
        """
        ...
