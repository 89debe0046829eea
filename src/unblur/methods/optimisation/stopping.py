"""When to end an optimisation that would go on to fit the noise.

Every rule looks at a running mean of a quantity (lower is better) or at the image, every so many steps.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal, Protocol

import torch
from torch import Tensor

__all__ = ["Never", "Plateau", "Rule", "RuleName", "Threshold", "Variance", "choose_rule", "load_state", "state_of"]

_FOLLOW = 0.1
"""Share of each new value in the running mean."""


RuleName = Literal["never", "threshold", "plateau", "variance"]


class Rule(Protocol):
    """Decides when an optimisation ends. Its fields are plain numbers and tensors: they are kept with the run."""

    every: int

    def check(self, step: int, quantity: float, image: Tensor) -> bool:
        """Whether to stop; called every `every` steps with the quantity and the image (without gradient)."""
        ...

    def restart(self) -> None:
        """Start over: from here on the quantity means something else."""
        ...


@dataclass
class Never:
    """All steps are taken."""

    every: int = 10

    def check(self, step: int, quantity: float, image: Tensor) -> bool:
        """Never."""
        del step, quantity, image
        return False

    def restart(self) -> None:
        """Nothing is remembered."""


@dataclass
class Threshold:
    """Stops when the running mean stayed at or below a threshold for some checks in a row.

    Attributes:
        threshold: Threshold of the quantity.
        patience: Checks in a row.
        after: No earlier step counts.
        every: Steps from check to check.
        mean: Running mean so far.
        count: Checks in a row so far.
    """

    threshold: float
    patience: int = 20
    after: int = 500
    every: int = 10
    mean: float | None = None
    count: int = 0

    def check(self, step: int, quantity: float, image: Tensor) -> bool:
        """See `Rule.check`."""
        del image
        self.mean = _followed(self.mean, quantity)
        if step >= self.after:
            self.count = self.count + 1 if self.mean <= self.threshold else 0
        return self.count >= self.patience

    def restart(self) -> None:
        """See `Rule.restart`."""
        self.mean, self.count = None, 0


@dataclass
class Plateau:
    """Stops when the running mean improved by less than a share of itself over the last steps.

    Attributes:
        share: Least improvement.
        over: Steps in which it has to come about.
        every: Steps from check to check.
        means: Running means so far.
    """

    share: float = 0.01
    over: int = 500
    every: int = 10
    means: list[float] = field(default_factory=list[float])

    def check(self, step: int, quantity: float, image: Tensor) -> bool:
        """See `Rule.check`."""
        del step, image
        self.means.append(_followed(self.means[-1] if self.means else None, quantity))
        past = len(self.means) - 1 - self.over // self.every
        return past >= 0 and self.means[-1] > (1 - self.share) * self.means[past]

    def restart(self) -> None:
        """See `Rule.restart`."""
        self.means = []


@dataclass
class Variance:
    """Stops when the image has varied more, for some checks in a row, than it did at its calmest.

    The variance over the latest images falls while they come nearer to one another, and rises when noise is learned
    (Wang et al., Early stopping for deep image prior, TMLR 2023).

    Attributes:
        window: Images that are looked at together.
        patience: Checks in a row without a calmer window.
        every: Steps from check to check.
        images: The latest ones.
        calmest: Least variance so far.
        count: Checks since then.
    """

    window: int = 50
    patience: int = 30
    every: int = 10
    images: list[Tensor] = field(default_factory=list[Tensor])
    calmest: float = float("inf")
    count: int = 0

    def check(self, step: int, quantity: float, image: Tensor) -> bool:
        """See `Rule.check`."""
        del step, quantity
        self.images = [*self.images[1 - self.window :], image.clone()]
        if len(self.images) < self.window:
            return False
        variance = float(torch.stack(self.images).var(0, correction=0).mean())
        self.count = self.count + 1 if variance >= self.calmest else 0
        self.calmest = min(self.calmest, variance)
        return self.count >= self.patience

    def restart(self) -> None:
        """See `Rule.restart`."""
        self.images, self.calmest, self.count = [], float("inf"), 0


def choose_rule(name: RuleName, steps: int, *, threshold: float, patience: int) -> Rule:
    """The rule of that name, its times in proportion to the run: of 5000 steps it checks every tenth.

    Args:
        name: What ends the run.
        steps: Steps of the whole run.
        threshold: Threshold of the rule `threshold`.
        patience: Patience of the rules `threshold` and `variance`, in steps.
    """
    every, tenth = max(1, steps // 500), steps // 10
    if name == "threshold":
        return Threshold(threshold, patience, after=tenth, every=every)
    if name == "variance":
        return Variance(patience=patience, every=every)
    return Plateau(over=tenth, every=every) if name == "plateau" else Never()


def state_of(rule: Rule) -> dict[str, Any]:
    """The state of a rule as plain values."""
    return {item.name: getattr(rule, item.name) for item in fields(rule)}  # pyright: ignore[reportArgumentType]


def load_state(rule: Rule, memory: Mapping[str, Any]) -> None:
    """Restore what `state_of` returned."""
    for name, value in memory.items():
        setattr(rule, name, value)


def _followed(mean: float | None, value: float) -> float:
    return value if mean is None else (1 - _FOLLOW) * mean + _FOLLOW * value
