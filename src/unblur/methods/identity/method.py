"""The methods `input` and `slow-input`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from unblur.methods.base import Restoration, Step, StepHook, Traits, ignore_step
from unblur.methods.identity.settings import InputSettings, SlowInputSettings
from unblur.methods.options import RestoreOptions

if TYPE_CHECKING:
    from torch import Tensor

    from unblur.images.picture import Picture

__all__ = ["Input", "SlowInput"]


class Input:
    """Returns the photo."""

    traits = Traits()

    def __init__(self, settings: InputSettings) -> None:
        self.settings = settings

    def restore_picture(
        self, picture: Picture, options: RestoreOptions, on_step: StepHook = ignore_step
    ) -> Restoration[Picture]:
        """The picture itself, pixels as stored; torch is not needed."""
        del options
        on_step(Step(1.0, "copied"))
        return Restoration(image=picture)

    def restore(self, blurry: Tensor, options: RestoreOptions, on_step: StepHook = ignore_step) -> Restoration[Tensor]:
        """The tensor itself."""
        del options
        on_step(Step(1.0, "copied"))
        return Restoration(image=blurry)


class SlowInput:
    """Returns the photo after a while."""

    traits = Traits()

    def __init__(self, settings: SlowInputSettings) -> None:
        self.settings = settings

    def restore_picture(
        self, picture: Picture, options: RestoreOptions, on_step: StepHook = ignore_step
    ) -> Restoration[Picture]:
        """The picture itself, later."""
        del options
        self._wait(on_step)
        return Restoration(image=picture)

    def restore(self, blurry: Tensor, options: RestoreOptions, on_step: StepHook = ignore_step) -> Restoration[Tensor]:
        """The tensor itself, later."""
        del options
        self._wait(on_step)
        return Restoration(image=blurry)

    def _wait(self, on_step: StepHook) -> None:
        for step in range(self.settings.steps):
            time.sleep(self.settings.nap)
            on_step(Step((step + 1) / self.settings.steps, "waiting"))
