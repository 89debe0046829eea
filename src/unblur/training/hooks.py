"""What the callbacks of a run have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from lightning.pytorch import Callback, LightningModule, Trainer
from typing_extensions import override

from unblur.training.data import StreamData
from unblur.training.module import SupervisedModule

__all__ = ["Say", "StepCallback", "data_of"]

Say = Callable[[str], None]
"""Takes one line for people: progress or a warning."""


class StepCallback(Callback):
    """A callback that is called before the first step and after each."""

    def before_steps(self, trainer: Trainer, module: SupervisedModule) -> None:
        """Once, after a checkpoint was loaded."""

    def after_step(self, trainer: Trainer, module: SupervisedModule) -> None:
        """After step number `trainer.global_step`, counted from 1."""

    @override
    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.before_steps(trainer, cast("SupervisedModule", pl_module))

    @override
    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        self.after_step(trainer, cast("SupervisedModule", pl_module))


def data_of(trainer: Trainer) -> StreamData:
    """The data of a run."""
    return cast("StreamData", trainer.datamodule)  # pyright: ignore[reportAttributeAccessIssue] - set by fit
