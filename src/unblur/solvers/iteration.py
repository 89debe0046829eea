"""Iterations as objects: the caller owns the loop, may stop at any step, and may ask for a history to plot."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

from torch import Tensor

__all__ = ["Iteration"]


class Iteration(ABC):
    """An algorithm that improves a latent image (or a kernel) step by step.

    Either call `run`, or own the loop: `while not iteration.done(): iteration.update()`.

    Args:
        steps: How many steps there are.
        record: Whether `history` is kept: each step then costs as much more as measuring it.

    Attributes:
        step: How many steps are done.
        history: Series of numbers by name, such as `objective` and `residual`, one for each step that is done.
    """

    def __init__(self, steps: int, *, record: bool = False) -> None:
        self.steps, self.step = steps, 0
        self.history: dict[str, list[float]] = {}
        self._record = record

    @property
    @abstractmethod
    def latent(self) -> Tensor:
        """The estimate after the steps that are done."""

    @abstractmethod
    def advance(self) -> None:
        """One step."""

    def measure(self) -> dict[str, float]:
        """Measures of how good the estimate is, for the history."""
        return {}

    def update(self) -> None:
        """One step, and a line of the history if there is one."""
        self.advance()
        self.step += 1
        if self._record:
            for name, value in self.measure().items():
                self.history.setdefault(name, []).append(value)

    def done(self) -> bool:
        """Whether all steps are done."""
        return self.step >= self.steps

    def run(self, on_share: Callable[[float], None] | None = None) -> Tensor:
        """All steps that are left, and the estimate after them.

        Args:
            on_share: Called after each step with the share of all steps that is done; raises to stop.
        """
        while not self.done():
            self.update()
            if on_share is not None:
                on_share(self.step / self.steps)
        return self.latent
