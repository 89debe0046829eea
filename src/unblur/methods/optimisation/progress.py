"""Progress of an optimisation as progress of the whole restoration."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from torch import Tensor

from unblur.methods.base import Step, StepHook
from unblur.methods.optimisation.problem import Evaluation
from unblur.methods.optimisation.run import Progress

__all__ = ["Span", "of_teacher", "part_of", "reporting"]

_SHOWN_EVERY = 50


class Span(NamedTuple):
    """One optimisation as a part of the whole work: its name, its steps, the fractions where it begins and ends."""

    stage: str
    steps: int
    begin: float
    end: float


def reporting(on_step: StepHook, span: Span, show: Callable[[Tensor], Tensor] | None = None) -> Progress:
    """Reports the steps of one optimisation, with a picture now and then.

    Args:
        on_step: Receives the progress of the whole work.
        span: Which optimisation.
        show: The picture that belongs to the answer `image`; None: none is shown.
    """

    def report(done: int, evaluation: Evaluation) -> None:
        fraction = span.begin + (span.end - span.begin) * done / span.steps
        preview = None if show is None or done % _SHOWN_EVERY else partial(show, evaluation.answers["image"])
        on_step(Step(fraction, f"{span.stage}, step {done} of {span.steps}", preview))

    return report


def part_of(
    on_step: StepHook, first: int, count: int, *, number: int = 1, phase: tuple[float, float] = (0.0, 1.0)
) -> StepHook:
    """Steps of some photos of a batch, in one phase of the work, as steps of the batch.

    One photo of several is no picture of the whole.

    Args:
        on_step: Receives the progress of the batch.
        first: Place of the first of these photos.
        count: Number of problems in the batch.
        number: How many these are.
        phase: Fractions of the work where the phase begins and ends, for a batch of one as for any.
    """
    if count == 1:
        return on_step
    begin, end = phase

    def report(step: Step) -> None:
        share = (min(step.fraction, end) - begin) / (end - begin)
        on_step(replace(step, fraction=begin + (end - begin) * (first + number * share) / count, show=None))

    return report


def of_teacher(on_step: StepHook, share: float) -> StepHook:
    """Steps of the teacher's restoration, which comes first, as steps of the whole work; without its previews.

    Args:
        on_step: Receives the progress of the whole work.
        share: Share of the whole work.
    """
    return lambda step: on_step(Step(share * step.fraction, f"teacher: {step.stage}"))
