"""Methods that change nothing: they separate faults of file handling from faults of deblurring."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from unblur.methods.base import Restoration, Step, Task, Traits

if TYPE_CHECKING:
    from torch import Tensor

    from unblur.images.picture import Picture

__all__ = ["Input", "InputSettings", "SlowInput", "SlowInputSettings"]


@dataclass(frozen=True)
class InputSettings:
    """No settings."""


@dataclass(frozen=True)
class SlowInputSettings:
    """How long to dawdle."""

    steps: Annotated[int, "Number of naps."] = 4
    nap: Annotated[float, "Seconds for each nap."] = 0.05


class Input:
    """Gives back what it got."""

    traits = Traits()

    def __init__(self, settings: InputSettings) -> None:
        self.settings = settings

    def restore_picture(self, picture: Picture, task: Task) -> Restoration:
        """The picture itself, pixels as stored; torch is not needed."""
        task.on_step(Step(1.0, "copied"))
        return Restoration(image=picture)

    def restore(self, blurry: Tensor, task: Task) -> Restoration:
        """The tensor itself."""
        task.on_step(Step(1.0, "copied"))
        return Restoration(image=blurry)


class SlowInput:
    """Gives back what it got, after a while."""

    traits = Traits()

    def __init__(self, settings: SlowInputSettings) -> None:
        self.settings = settings

    def restore_picture(self, picture: Picture, task: Task) -> Restoration:
        """The picture itself, later."""
        self._dawdle(task)
        return Restoration(image=picture)

    def restore(self, blurry: Tensor, task: Task) -> Restoration:
        """The tensor itself, later."""
        self._dawdle(task)
        return Restoration(image=blurry)

    def _dawdle(self, task: Task) -> None:
        for step in range(self.settings.steps):
            time.sleep(self.settings.nap)
            task.on_step(Step((step + 1) / self.settings.steps, "dawdling"))
