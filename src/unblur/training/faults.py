"""Faults that a run tolerates up to a limit: photos that cannot be read, steps without a finite gradient."""

from __future__ import annotations

from typing import Any

from lightning.pytorch import LightningModule, Trainer
from typing_extensions import override

from unblur.errors import TrainingError
from unblur.training.checkpoints import CheckpointKeeper
from unblur.training.hooks import Say, StepCallback, data_of
from unblur.training.module import SupervisedModule
from unblur.training.streams import FAULTS

__all__ = ["BadPhotos", "BadSteps"]

_JUDGED = 1000
"""Fewest samples that a share of bad ones is taken of."""


class BadPhotos(StepCallback):
    """Names each photo that cannot be read once, counts samples that had to be replaced, and stops when there are many.

    Args:
        warn: Called once for each bad photo.

    Attributes:
        replaced: Samples that had to be replaced.
        named: Each fault once: the file and what is wrong with it.
    """

    def __init__(self, warn: Say) -> None:
        self._warn = warn
        self.replaced = 0
        self.named: list[str] = []

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint keeps."""
        return {"replaced": self.replaced, "named": self.named}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore what a checkpoint kept."""
        self.replaced, self.named = state_dict["replaced"], list(state_dict["named"])

    @override
    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int) -> None:
        data = data_of(trainer)
        for fault in batch[FAULTS]:
            self.replaced += 1
            if fault not in self.named:
                self.named.append(fault)
                self._warn(f"a photo cannot be read and is left out: {fault}")
        drawn = (trainer.global_step + 1) * data.batch_size
        if self.replaced > data.max_bad_share * max(drawn, _JUDGED):
            raise TrainingError(
                f"{self.replaced} of {drawn} samples were of photos that cannot be read ({len(self.named)} of them),"
                f" more than {data.max_bad_share:.0%}; repair or remove them, or raise data.max_bad_share"
            )


class BadSteps(StepCallback):
    """Ends the run when many steps in a row were left out.

    Args:
        keeper: Writes a checkpoint first; the weights are those of the last good step.
        every: Steps between checks on a device, where each check waits for it.
    """

    def __init__(self, keeper: CheckpointKeeper, every: int) -> None:
        self._keeper, self._every = keeper, every

    @override
    def after_step(self, trainer: Trainer, module: SupervisedModule) -> None:
        """Check, if it is time.

        Raises:
            TrainingError: Too many; the message names what the last batch was made of.
        """
        if module.device.type != "cpu" and trainer.global_step % self._every:
            return
        in_a_row = int(module.guard.in_a_row)
        if in_a_row < module.max_bad_steps:
            return
        self._keeper.save(trainer)
        data = data_of(trainer)
        last = int(module.guard.last)
        raise TrainingError(
            f"{in_a_row} steps in a row had no finite loss or gradient, the last one step {last + 1}, made of"
            f" {data.describe(last)}; the weights are those of the last good step"
        )
