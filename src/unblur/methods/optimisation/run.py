"""The loop of every method that is fitted to one photo: Adam, falling rates, the best answer kept, early stopping."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from unblur.errors import Cancelled, ImageError
from unblur.methods.optimisation.checkpointing import RunFile
from unblur.methods.optimisation.problem import Evaluation, JointProblem, Problem, SingleProblem
from unblur.methods.optimisation.stopping import Never, Rule, load_state, state_of
from unblur.solvers.adam import Adam

__all__ = ["Optimised", "Progress", "ProgressOfAll", "StepSchedule", "mean_of", "optimise", "optimise_jointly"]

Answers = dict[str, Tensor]
Progress = Callable[[int, Evaluation], None]
"""Called after each step with the number of steps done; raises `Cancelled` to stop."""
ProgressOfAll = Callable[[int, Sequence[Evaluation]], None]
"""The same for problems that are solved together."""


def _ignore(steps: int, evaluation: object) -> None:
    """The hook of a caller without interest in progress."""


@dataclass(frozen=True)
class StepSchedule:
    """Number of steps and rates of an optimisation.

    Attributes:
        steps: Largest number of steps.
        milestones: Steps from each of which on all rates are multiplied by `decay` once more.
        decay: Factor of the rates at each milestone.
        averaging: Share of the mean of answers that remains at each step, in [0, 1).
    """

    steps: int
    milestones: tuple[int, ...] = ()
    decay: float = 0.5
    averaging: float = 0.99

    def rate_at(self, step: int) -> float:
        """The factor of all rates at a step, counted from 0."""
        return self.decay ** sum(step >= milestone for milestone in self.milestones)

    def scaled_to(self, steps: int) -> StepSchedule:
        """The same fit schedule in another number of steps."""
        milestones = tuple(round(milestone * steps / self.steps) for milestone in self.milestones)
        return StepSchedule(steps, milestones, self.decay, self.averaging)


@dataclass
class Optimised:
    """Result of an optimisation; complete after every step.

    Attributes:
        steps: Number of steps taken.
        last: The latest answers by name.
        best: Answer with the lowest criterion.
        best_step: When that was, counted from 0.
        best_criterion: Criterion of that answer.
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


def mean_of(results: Sequence[Optimised]) -> Optimised:
    """Results of the same problem from several random starts as one: the means of their answers, else the first."""
    means = {
        kind: {
            name: torch.stack([getattr(result, kind)[name] for result in results]).mean(0)
            for name in getattr(results[0], kind)
        }
        for kind in ("last", "best", "average")
    }
    return replace(results[0], **means)


def optimise(
    problem: Problem,
    schedule: StepSchedule,
    *,
    rule: Rule | None = None,
    run_file: RunFile | None = None,
    on_step: Progress = _ignore,
) -> Optimised:
    """Minimise the problem's loss; see `optimise_jointly`, which this is with one problem."""
    [result] = optimise_jointly(
        SingleProblem(problem),
        schedule,
        rules=[rule or Never()],
        run_file=run_file,
        on_step=lambda steps, evaluations: on_step(steps, evaluations[0]),
    )
    return result


def optimise_jointly(
    joint: JointProblem,
    schedule: StepSchedule,
    *,
    rules: Sequence[Rule],
    run_file: RunFile | None = None,
    on_step: ProgressOfAll = _ignore,
) -> list[Optimised]:
    """Minimise the losses of several problems, each of which comes out as it would alone, but for rounding.

    Args:
        joint: The problems; their networks are changed.
        schedule: How long, at which rates.
        rules: When each of them stops early; the loop ends with the last of them.
        run_file: Where the run is kept, so that it can be gone on with after a cancel or a crash, bit for bit. It takes
            one problem only.
        on_step: See `ProgressOfAll`.

    Raises:
        Cancelled: `on_step` asked to stop; the run_file has the run as it is.
        ImageError: A loss is not a finite number at the first step.
        CheckpointError: The run_file holds another run, or a damaged one.
    """
    work = _Work(joint, schedule, rules)
    if run_file is not None:
        work.load(run_file.read())
    while not work.is_done:
        evaluations = work.step()
        if run_file is not None and run_file.is_due(work.steps):
            run_file.write(work.state())
        try:
            on_step(work.steps, evaluations)
        except Cancelled:
            if run_file is not None:
                run_file.write(work.state())
            raise
    if run_file is not None:
        run_file.remove()
    return [run.result for run in work.runs]


class _Work:
    """One optimisation between two steps."""

    def __init__(self, joint: JointProblem, schedule: StepSchedule, rules: Sequence[Rule]) -> None:
        self._joint, self._schedule = joint, schedule
        self._groups = [(Adam(group["params"]), float(group["lr"])) for group in joint.groups()]
        self.runs = [
            _Run(problem, rule, schedule.averaging) for problem, rule in zip(joint.problems, rules, strict=True)
        ]

    @property
    def steps(self) -> int:
        """That the longest run has taken."""
        return max(run.result.steps for run in self.runs)

    @property
    def is_done(self) -> bool:
        return all(run.is_over for run in self.runs) or self.steps >= self._schedule.steps

    def step(self) -> Sequence[Evaluation]:
        step = self.steps
        with torch.enable_grad():
            evaluations = self._joint.evaluate(step)
            # All at once: each number that is fetched from a GPU waits for everything before it.
            losses = torch.stack([evaluation.loss.detach() for evaluation in evaluations]).tolist()
            taking = [
                (run, evaluation, loss)
                for run, evaluation, loss in zip(self.runs, evaluations, losses, strict=True)
                if run.goes_on(step, evaluation, loss)
            ]
            if not taking:  # what was found before still holds
                return evaluations
            # Weights of different runs have nothing in common, so the gradient of the sum is that of each loss.
            torch.stack([evaluation.loss for _, evaluation, _ in taking]).sum().backward()
        for adam, rate in self._groups:
            adam.step(rate * self._schedule.rate_at(step))
        for run, evaluation, loss in taking:
            run.take(step, evaluation, loss)
        return evaluations

    def state(self) -> dict[str, Any]:
        [run] = self.runs
        return {
            "networks": run.problem.networks.state_dict(),
            "groups": [adam.state() for adam, _ in self._groups],
            "generator": run.problem.generator.get_state(),
            "rule": state_of(run.rule),
            "result": vars(run.result),
        }

    def load(self, state: Mapping[str, Any] | None) -> None:
        if state is None:
            return
        [run] = self.runs
        run.problem.networks.load_state_dict(state["networks"])
        for (adam, _), kept in zip(self._groups, state["groups"], strict=True):
            adam.load(kept)
        run.problem.generator.set_state(state["generator"])
        load_state(run.rule, state["rule"])
        device = next(run.problem.networks.parameters()).device
        for name, value in state["result"].items():
            setattr(run.result, name, _moved(value, device))


class _Run:
    """The state of one problem during the run."""

    def __init__(self, problem: Problem, rule: Rule, averaging: float) -> None:
        self.problem, self.rule, self._averaging = problem, rule, averaging
        self._broken = False
        self.result = Optimised()

    @property
    def is_over(self) -> bool:
        """Whether it takes no further step; in a stack it keeps its place."""
        return self._broken or self.result.stopped

    def goes_on(self, step: int, evaluation: Evaluation, loss: float) -> bool:
        """Whether it takes this step."""
        if self.is_over:
            return False
        self._broken = not (math.isfinite(evaluation.criterion) and math.isfinite(loss))
        if self._broken and step == 0:
            raise ImageError("gives a loss that is not finite at the first step; try other settings")
        return not self._broken

    def take(self, step: int, evaluation: Evaluation, loss: float) -> None:
        """Write the step down, and stop if it is enough."""
        self._note(step, evaluation, loss)
        self.result.stopped = self._is_enough(step, evaluation)
        self.result.steps += 1

    def _note(self, step: int, evaluation: Evaluation, loss: float) -> None:
        result = self.result
        result.last = dict(evaluation.answers)
        if evaluation.criterion < result.best_criterion:
            result.best, result.best_step = result.last, step
            result.best_criterion = evaluation.criterion
        # A young mean follows faster, or the first answers would weigh too much.
        share = 1 - min(self._averaging, (1 + step) / (10 + step))
        result.average = {
            name: torch.lerp(result.average.get(name, answer), answer, share) for name, answer in result.last.items()
        }
        row = {"loss": loss, "criterion": evaluation.criterion, **evaluation.traces}
        # A term that begins late or ends early has no value at the other steps.
        for name in {**result.traces, **row}:
            result.traces.setdefault(name, [math.nan] * step).append(row.get(name, math.nan))

    def _is_enough(self, step: int, evaluation: Evaluation) -> bool:
        if self.problem.changes_at(step):
            self.rule.restart()
        if step % self.rule.every:
            return False
        measure = self.problem.stop_quantity()
        quantity = evaluation.criterion if measure is None else measure()
        return self.rule.check(step, quantity, next(iter(evaluation.answers.values())))


def _moved(value: Any, device: torch.device) -> Any:
    """Answers on the device of the networks; anything else as it is."""
    if not isinstance(value, dict):
        return value
    return {name: item.to(device) if isinstance(item, Tensor) else item for name, item in value.items()}
