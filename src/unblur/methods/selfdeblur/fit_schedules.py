"""How long the networks are fitted, with which loss and at which rates, by name."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch

from unblur.methods.optimisation.run import StepSchedule
from unblur.methods.selfdeblur.settings import SelfDeblurSettings

__all__ = ["FIT_SCHEDULES", "FitSchedule", "choose_fit_schedule"]

_KNOWN_KERNEL = StepSchedule(1000, (700, 800, 900))
_SHARE_KNOWN = 5
"""With the kernel known, a fifth of the steps from a random start is enough, and all of them compare structures."""


@dataclass(frozen=True)
class FitSchedule:
    """One way to fit the networks.

    Attributes:
        schedule: Steps and falling rates.
        squares_until: Before this step the loss is the mean square, from it on 1 - SSIM.
        width: Channels of the image network.
        warm_steps: Steps in which the image network first learns the teacher's image.
        image_rate: Learning rate of Adam for the image network.
        kernel_rate: Learning rate of Adam for the kernel network.
        around_teacher: The image network makes what the teacher's image is to be changed by, instead of the image.
        refit_every: After so many steps, again and again, the kernel network begins anew with the kernel that suits the
            image, see `refit_kernel`. 0: it only learns, as published.
    """

    schedule: StepSchedule
    squares_until: int
    width: int = 128
    warm_steps: int = 0
    image_rate: float = 1e-2
    kernel_rate: float = 1e-4
    around_teacher: bool = False
    refit_every: int = 0

    @property
    def is_warm(self) -> bool:
        """Whether the fit begins with the teacher's image and kernel."""
        return self.around_teacher or self.warm_steps > 0

    def refits_at(self, step: int) -> bool:
        """Whether the kernel is to be found anew before the step, counted from 0."""
        return self.refit_every > 0 and step > 0 and step % self.refit_every == 0


FIT_SCHEDULES = {
    "full": FitSchedule(StepSchedule(5000, (2000, 3000, 4000)), 1000),
    "fast": FitSchedule(StepSchedule(1500, (600, 900, 1200)), 300),
    "warm": FitSchedule(StepSchedule(80, (40, 56, 72)), 0, width=32, warm_steps=20, kernel_rate=1e-3, refit_every=10),
    "quick": FitSchedule(
        StepSchedule(60, (30, 42, 54)), 0, width=16, image_rate=3e-3, kernel_rate=1e-3, around_teacher=True
    ),
    "smoke": FitSchedule(StepSchedule(50, (20, 30, 40)), 10, width=16, warm_steps=5),
}


def choose_fit_schedule(settings: SelfDeblurSettings, device: torch.device, *, knows_kernel: bool) -> FitSchedule:
    """The fit schedule that the settings ask for on a device."""
    name = settings.preset
    if name == "auto":
        name = "warm" if device.type == "cpu" else "full"
    fit_schedule = FIT_SCHEDULES[name]
    if settings.warm_steps >= 0:
        fit_schedule = replace(fit_schedule, warm_steps=settings.warm_steps, around_teacher=False)
    if settings.steps:
        scale = settings.steps / fit_schedule.schedule.steps
        fit_schedule = replace(
            fit_schedule,
            schedule=fit_schedule.schedule.scaled_to(settings.steps),
            squares_until=round(fit_schedule.squares_until * scale),
        )
    if knows_kernel:
        fit_schedule = replace(fit_schedule, squares_until=0)
        if not fit_schedule.is_warm:
            steps = max(1, fit_schedule.schedule.steps // _SHARE_KNOWN)
            fit_schedule = replace(fit_schedule, schedule=_KNOWN_KERNEL.scaled_to(steps))
    return replace(fit_schedule, width=settings.width or fit_schedule.width)
