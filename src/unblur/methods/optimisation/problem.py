"""The optimisation problem of a method that is fitted to one photo."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor, nn

__all__ = ["Evaluation", "JointProblem", "Problem", "SingleProblem"]


@dataclass(frozen=True)
class Evaluation:
    """Where an optimisation is, before the step that follows.

    Attributes:
        loss: A scalar, to be made small.
        answers: What would be answered now, by name, without gradient: the loop keeps the best, the last and a mean.
        criterion: Lower is better, comparable from first step to last; the best answers are those of the lowest.
        traces: Further numbers to write down, such as the terms of the loss.
    """

    loss: Tensor
    answers: Mapping[str, Tensor]
    criterion: float
    traces: Mapping[str, float]


class Problem(Protocol):
    """Weights to be found, and a loss that says how good they are.

    Attributes:
        networks: All weights and buffers.
        generator: All randomness of the steps.
    """

    @property
    def networks(self) -> nn.Module: ...  # noqa: D102 - said above

    @property
    def generator(self) -> torch.Generator: ...  # noqa: D102 - said above

    def groups(self) -> list[dict[str, Any]]:
        """What is optimised, in parts: each has its weights, `params`, and its rate, `lr`."""
        ...

    def evaluate(self, step: int) -> Evaluation:
        """The loss at a step, counted from 0."""
        ...

    def changes_at(self, step: int) -> bool:
        """Whether from this step on another loss is minimised: what was measured before does not compare."""
        ...

    def stop_quantity(self) -> Callable[[], float] | None:
        """Measures, at the latest evaluation, what a stopping rule looks at; None: the criterion itself."""
        ...


class JointProblem(Protocol):
    """Problems that take each step at the same time; what one of them comes to does not depend on the others.

    Attributes:
        problems: Each of them.
    """

    @property
    def problems(self) -> Sequence[Problem]: ...  # noqa: D102 - said above

    def groups(self) -> list[dict[str, Any]]:
        """What is optimised of all of them, as `Problem.groups` returns it for one."""
        ...

    def evaluate(self, step: int) -> Sequence[Evaluation]:
        """The loss of each problem at a step, counted from 0."""
        ...


@dataclass(frozen=True)
class SingleProblem:
    """One problem by itself as a `JointProblem`.

    Attributes:
        problem: The problem.
    """

    problem: Problem

    @property
    def problems(self) -> Sequence[Problem]:
        """See `JointProblem`."""
        return [self.problem]

    def groups(self) -> list[dict[str, Any]]:
        """See `JointProblem.groups`."""
        return self.problem.groups()

    def evaluate(self, step: int) -> Sequence[Evaluation]:
        """See `JointProblem.evaluate`."""
        return [self.problem.evaluate(step)]
