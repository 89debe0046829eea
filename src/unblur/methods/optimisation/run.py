"""The loop of every method that learns on one photo: Adam, falling rates, the best answer kept, an end in time."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from unblur.errors import Cancelled, ImageError
from unblur.methods.optimisation.keeping import Keeper
from unblur.methods.optimisation.problem import Evaluation, Problem
from unblur.methods.optimisation.stopping import Never, Rule, memory_of, remind

__all__ = ["Optimised", "Progress", "Schedule", "optimise"]

Answers = dict[str, Tensor]
Progress = Callable[[int, Evaluation], None]
"""Called after each step with the number of steps done; raises `Cancelled` to stop."""


def _ignore(steps: int, evaluation: Evaluation) -> None:
    """The hook of a caller who does not want to know."""


@dataclass(frozen=True)
class Schedule:
    """How long, and at which rates.

    Attributes:
        steps: At most so many.
        milestones: From each of these steps on, all rates are multiplied by `decay` once more.
        decay: See there.
        averaging: Share of the mean of answers that remains at each step, in [0, 1).
    """

    steps: int
    milestones: tuple[int, ...] = ()
    decay: float = 0.5
    averaging: float = 0.99

    def rate_at(self, step: int) -> float:
        """The factor of all rates at a step, counted from 0."""
        return self.decay ** sum(step >= milestone for milestone in self.milestones)

    def scaled_to(self, steps: int) -> Schedule:
        """The same course in another number of steps."""
        milestones = tuple(round(milestone * steps / self.steps) for milestone in self.milestones)
        return Schedule(steps, milestones, self.decay, self.averaging)


@dataclass
class Optimised:
    """What came of an optimisation; complete after every step.

    Attributes:
        steps: That were taken.
        last: The latest answers by name.
        best: Those of the lowest criterion.
        best_step: When that was, counted from 0.
        best_criterion: Its value.
        average: A running mean of all answers, the latest counting most.
        traces: Numbers of every step by name.
        stopped: A rule ended it before its time.
    """

    steps: int = 0
    last: Answers = field(default_factory=dict[str, Tensor])
    best: Answers = field(default_factory=dict[str, Tensor])
    best_step: int = -1
    best_criterion: float = math.inf
    average: Answers = field(default_factory=dict[str, Tensor])
    traces: dict[str, list[float]] = field(default_factory=dict[str, list[float]])
    stopped: bool = False


def optimise(
    problem: Problem,
    schedule: Schedule,
    *,
    rule: Rule | None = None,
    keeper: Keeper | None = None,
    on_step: Progress = _ignore,
) -> Optimised:
    """Minimise the problem's loss.

    Args:
        problem: Its networks are changed.
        schedule: How long, at which rates.
        rule: When to stop early; None: never.
        keeper: Where the run is kept, so that it can be gone on with after a cancel or a crash, bit for bit.
        on_step: See `Progress`.

    Raises:
        Cancelled: `on_step` asked to stop; the keeper has the run as it is.
        ImageError: The loss is not a finite number at the first step.
        CheckpointError: The keeper holds another run, or a damaged one.
    """
    work = _Work(problem, schedule, rule or Never())
    if keeper is not None:
        work.load(keeper.read())
    while not work.is_done:
        evaluation = work.step()
        if keeper is not None and keeper.is_due(work.result.steps):
            keeper.write(work.state())
        try:
            on_step(work.result.steps, evaluation)
        except Cancelled:
            if keeper is not None:
                keeper.write(work.state())
            raise
    if keeper is not None:
        keeper.remove()
    return work.result


class _Work:
    """One optimisation between two steps."""

    def __init__(self, problem: Problem, schedule: Schedule, rule: Rule) -> None:
        self._problem, self._schedule, self._rule = problem, schedule, rule
        # Fused: one pass over all weights instead of a dozen.
        self._adam = torch.optim.Adam(problem.groups(), fused=True)
        self._rates = [float(group["lr"]) for group in self._adam.param_groups]
        self._broken = False
        self.result = Optimised()

    @property
    def is_done(self) -> bool:
        return self._broken or self.result.stopped or self.result.steps >= self._schedule.steps

    def step(self) -> Evaluation:
        result, step = self.result, self.result.steps
        for group, rate in zip(self._adam.param_groups, self._rates, strict=True):
            group["lr"] = rate * self._schedule.rate_at(step)
        self._adam.zero_grad(set_to_none=True)
        with torch.enable_grad():
            evaluation = self._problem.evaluate(step)
            self._broken = not math.isfinite(evaluation.criterion) or not bool(evaluation.loss.isfinite())
            if not self._broken:
                evaluation.loss.backward()
        if self._broken and step == 0:
            raise ImageError("gives a loss that is not finite at the first step; try other settings")
        if self._broken:  # what was found before still holds
            return evaluation
        self._adam.step()
        self._note(step, evaluation)
        result.stopped = self._is_enough(step, evaluation)
        result.steps += 1
        return evaluation

    def _note(self, step: int, evaluation: Evaluation) -> None:
        result = self.result
        result.last = dict(evaluation.answers)
        if evaluation.criterion < result.best_criterion:
            result.best, result.best_step = result.last, step
            result.best_criterion = evaluation.criterion
        # A young mean follows faster, or the first answers would weigh too much.
        share = 1 - min(self._schedule.averaging, (1 + step) / (10 + step))
        result.average = {
            name: torch.lerp(result.average.get(name, answer), answer, share) for name, answer in result.last.items()
        }
        row = {"loss": float(evaluation.loss.detach()), "criterion": evaluation.criterion, **evaluation.traces}
        # A term that begins late or ends early has no value at the other steps.
        for name in {**result.traces, **row}:
            result.traces.setdefault(name, [math.nan] * step).append(row.get(name, math.nan))

    def _is_enough(self, step: int, evaluation: Evaluation) -> bool:
        rule = self._rule
        if self._problem.changes_at(step):
            rule.restart()
        if step % rule.every:
            return False
        measure = self._problem.stop_quantity()
        quantity = evaluation.criterion if measure is None else measure()
        return rule.check(step, quantity, next(iter(evaluation.answers.values())))

    def state(self) -> dict[str, Any]:
        return {
            "networks": self._problem.networks.state_dict(),
            "adam": self._adam.state_dict(),
            "generator": self._problem.generator.get_state(),
            "rule": memory_of(self._rule),
            "result": vars(self.result),
        }

    def load(self, state: Mapping[str, Any] | None) -> None:
        if state is None:
            return
        self._problem.networks.load_state_dict(state["networks"])
        self._adam.load_state_dict(state["adam"])
        self._problem.generator.set_state(state["generator"])
        remind(self._rule, state["rule"])
        device = next(self._problem.networks.parameters()).device
        for name, value in state["result"].items():
            setattr(self.result, name, _moved(value, device))


def _moved(value: Any, device: torch.device) -> Any:
    """Answers on the device of the networks; anything else as it is."""
    if not isinstance(value, dict):
        return value
    return {name: item.to(device) if isinstance(item, Tensor) else item for name, item in value.items()}
