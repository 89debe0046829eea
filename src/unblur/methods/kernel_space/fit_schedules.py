"""How long image and code are fitted to a photo, and at which rates, by name."""

from __future__ import annotations

from dataclasses import dataclass, replace

from unblur.methods.kernel_space.settings import KernelSpaceSettings
from unblur.methods.optimisation.run import StepSchedule

__all__ = ["FIT_SCHEDULES", "FitSchedule", "choose_fit_schedule"]


@dataclass(frozen=True)
class FitSchedule:
    """One way to fit the networks.

    Attributes:
        schedule: Steps and falling rates.
        width: Channels of the image network.
        warm_steps: Steps in which the networks first learn the image and the code of the start, where they do not
            begin with them.
        image_rate: Learning rate of Adam for the image.
        code_rate: Learning rate of Adam for the code.
        guided: The image network is shown the image to begin with, and adds to it, at first nothing; the published one
            sees noise alone.
        teacher: Method whose answer that image is.
        hold: Share of the run in which the code stays where it began.
        edges: Multiplies the published weight of the sparse-edges prior.
    """

    schedule: StepSchedule
    width: int = 128
    warm_steps: int = 300
    image_rate: float = 5e-4
    code_rate: float = 5e-4
    guided: bool = False
    teacher: str = "none"
    hold: float = 0.0
    edges: float = 1.0

    @property
    def held(self) -> int:
        """The steps in which the code stays."""
        return round(self.hold * self.schedule.steps)

    @property
    def warming(self) -> int:
        """The steps of the warm start; none where image and code begin where they should."""
        return 0 if self.guided and self.held == self.schedule.steps else self.warm_steps

    @property
    def turning(self) -> int:
        """The step from which on the priors weigh more, and structure no longer counts."""
        return self.schedule.steps // 2


def _descent(steps: int) -> StepSchedule:
    """Rates fall to 0.7 of themselves after each fifth."""
    return StepSchedule(steps, tuple(steps * fifth // 5 for fifth in range(1, 5)), decay=0.7)


# The operator is only nearly the blur: in a longer fit the image learns to make up for what it lacks. Edges have a
# weight for distances of features, beside which those of pixels are small.
_QUICK = FitSchedule(_descent(60), image_rate=3e-3, code_rate=2e-3, guided=True, teacher="map", hold=1.0, edges=0.03)

FIT_SCHEDULES = {
    "full": FitSchedule(_descent(5000)),
    "fast": replace(_QUICK, width=32, warm_steps=30),
    "smoke": replace(_QUICK, schedule=_descent(20), width=16, warm_steps=5),
}


def choose_fit_schedule(settings: KernelSpaceSettings) -> FitSchedule:
    """The fit schedule that the settings ask for."""
    fit_schedule = FIT_SCHEDULES[settings.preset]
    return replace(
        fit_schedule,
        schedule=fit_schedule.schedule.scaled_to(settings.steps) if settings.steps else fit_schedule.schedule,
        width=settings.width or fit_schedule.width,
        warm_steps=fit_schedule.warm_steps if settings.warm_steps < 0 else settings.warm_steps,
        teacher=fit_schedule.teacher if settings.teacher == "auto" else settings.teacher,
        hold=fit_schedule.hold if settings.hold < 0 else settings.hold,
    )
