"""Tells whoever waits for an answer how far an optimisation is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

from torch import Tensor

from unblur.methods.base import Step, StepHook
from unblur.methods.optimisation.problem import Evaluation
from unblur.methods.optimisation.run import Progress

__all__ = ["Span", "part_of", "telling"]

_SHOWN_EVERY = 50


class Span(NamedTuple):
    """One optimisation among the whole work: what it is called, its steps, the fractions where it begins and ends."""

    stage: str
    steps: int
    begin: float
    end: float


def telling(on_step: StepHook, span: Span, show: Callable[[Tensor], Tensor] | None = None) -> Progress:
    """Tells of the steps of one optimisation, with a picture now and then.

    Args:
        on_step: Who is told.
        span: Which optimisation.
        show: The picture that belongs to the answer `image`; None: none is shown.
    """

    def tell(done: int, evaluation: Evaluation) -> None:
        preview = None if show is None or done % _SHOWN_EVERY else show(evaluation.answers["image"])
        fraction = span.begin + (span.end - span.begin) * done / span.steps
        on_step(Step(fraction, f"{span.stage}, step {done} of {span.steps}", preview))

    return tell


def part_of(on_step: StepHook, number: int, count: int) -> StepHook:
    """Steps of one photo of a batch as steps of the batch; one photo of several is no picture of the whole."""
    if count == 1:
        return on_step
    return lambda step: on_step(replace(step, fraction=(number + step.fraction) / count, preview=None))
