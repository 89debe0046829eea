"""Schedules of the learning rate.

A schedule is a function of the step alone, so that a resumed run needs no state of it.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence

from unblur.errors import SettingsError

__all__ = ["Constant", "Cosine", "CosineRestarts", "Exponential", "Linear", "RateSchedule", "Steps"]


class RateSchedule(ABC):
    """Multiplier of the learning rate at each step; it rises evenly from 0 during the first `warmup` steps.

    Args:
        warmup: Number of steps.
    """

    def __init__(self, warmup: int = 0) -> None:
        if warmup < 0:
            raise SettingsError(f"warmup takes a number of steps of 0 or more, not {warmup}")
        self.warmup = warmup

    def factor(self, step: int) -> float:
        """The multiplier at a step, counted from 0."""
        rise = min(1.0, (step + 1) / self.warmup) if self.warmup else 1.0
        return rise * self.after_warmup(max(0, step - self.warmup))

    @abstractmethod
    def after_warmup(self, step: int) -> float:
        """The multiplier at a step, counted from the end of the warm-up."""


class Constant(RateSchedule):
    """Always 1."""

    def after_warmup(self, step: int) -> float:  # noqa: ARG002, D102
        return 1.0


class Cosine(RateSchedule):
    """Half a wave from 1 down to `floor`, again and again: Loshchilov and Hutter (2017), Eq. 5.

    Args:
        period: Steps of the first descent.
        longer: Factor of the length of each descent to the one before.
        lower: Factor of the start of each descent to that of the one before.
        floor: Value at the end of a descent.
        warmup: Steps of the warm-up.
    """

    def __init__(
        self, period: int, *, longer: int = 1, lower: float = 1.0, floor: float = 0.0, warmup: int = 0
    ) -> None:
        super().__init__(warmup)
        if period < 1 or longer < 1:
            raise SettingsError("period and longer take whole numbers of 1 or more")
        self.period, self.longer, self.lower, self.floor = period, longer, lower, floor

    def after_warmup(self, step: int) -> float:  # noqa: D102
        period, top = self.period, 1.0
        while step >= period:
            step -= period
            period *= self.longer
            top *= self.lower
        return _half_wave(step / period, top, self.floor)


class CosineRestarts(RateSchedule):
    """Half a wave from 1 down to `floor` for each of some periods, then `floor`.

    Args:
        periods: Steps of each descent.
        floor: Value at the end of a descent.
        warmup: Steps of the warm-up.
    """

    def __init__(self, periods: Sequence[int], *, floor: float = 0.0, warmup: int = 0) -> None:
        super().__init__(warmup)
        if not periods or min(periods) < 1:
            raise SettingsError("periods takes whole numbers of 1 or more, at least one of them")
        self.periods, self.floor = tuple(periods), floor

    def after_warmup(self, step: int) -> float:  # noqa: D102
        for period in self.periods:
            if step < period:
                return _half_wave(step / period, 1.0, self.floor)
            step -= period
        return self.floor


class Steps(RateSchedule):
    """Steps down by a factor at each milestone.

    Args:
        milestones: Numbers of steps after the warm-up.
        gamma: Factor at each milestone.
        warmup: Steps of the warm-up.
    """

    def __init__(self, milestones: Sequence[int], *, gamma: float = 0.5, warmup: int = 0) -> None:
        super().__init__(warmup)
        self.milestones, self.gamma = tuple(milestones), gamma

    def after_warmup(self, step: int) -> float:  # noqa: D102
        return self.gamma ** sum(step >= milestone for milestone in self.milestones)


class Exponential(RateSchedule):
    """Decays exponentially, to one half in `half_life` steps.

    Args:
        half_life: Number of steps.
        floor: Least value.
        warmup: Steps of the warm-up.
    """

    def __init__(self, half_life: float, *, floor: float = 0.0, warmup: int = 0) -> None:
        super().__init__(warmup)
        if half_life <= 0:
            raise SettingsError(f"half_life takes a positive number of steps, not {half_life}")
        self.half_life, self.floor = half_life, floor

    def after_warmup(self, step: int) -> float:  # noqa: D102
        return max(self.floor, 0.5 ** (step / self.half_life))


class Linear(RateSchedule):
    """Falls linearly from 1 to 0.

    Args:
        steps: Number of steps after the warm-up.
        warmup: Steps of the warm-up.
    """

    def __init__(self, steps: int, *, warmup: int = 0) -> None:
        super().__init__(warmup)
        if steps < 1:
            raise SettingsError(f"steps takes a whole number of 1 or more, not {steps}")
        self.steps = steps

    def after_warmup(self, step: int) -> float:  # noqa: D102
        return max(0.0, 1 - step / self.steps)


def _half_wave(share: float, top: float, floor: float) -> float:
    """Half a cosine wave from `top` to `floor` at a share of the way."""
    return floor + (top - floor) * (1 + math.cos(math.pi * share)) / 2
