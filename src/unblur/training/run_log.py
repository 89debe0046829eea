"""The log of a run: lines of progress, a table of numbers, and TensorBoard."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import cast

import torch
from lightning.pytorch import Trainer
from torch import Tensor
from torch.utils.tensorboard.writer import SummaryWriter
from typing_extensions import override

from unblur.training.hooks import Say, StepCallback
from unblur.training.module import SupervisedModule
from unblur.training.step_log import StepLog

__all__ = ["RunLog", "TensorBoard"]


class TensorBoard:
    """TensorBoard's files; a full disk does not stop the run.

    Args:
        folder: Folder of the files.
        warn: Called each time that writing fails.
    """

    def __init__(self, folder: Path, warn: Say) -> None:
        self._folder, self._warn = folder, warn
        self._writer: SummaryWriter | None = None
        self._purge: int | None = None

    def rewind(self, step: int) -> None:
        """Forget what was written about later steps."""
        self._purge = step + 1

    def put(self, step: int, numbers: Mapping[str, float], pictures: Mapping[str, Tensor] | None = None) -> None:
        """Add numbers, and image grids of batches `(B, C, h, w)` in [0, 1]."""
        try:
            writer = self._open()
            for name, number in numbers.items():
                writer.add_scalar(name, number, step)
            for name, images in (pictures or {}).items():
                writer.add_images(name, images.float().clamp(0, 1).cpu(), step)
            writer.flush()
        except OSError as error:
            self._writer = None  # its thread has ended; the next call begins a new file
            self._warn(f"TensorBoard's file was not written: {error.strerror or error}")

    def close(self) -> None:
        """Finish the file."""
        if self._writer is not None:
            self._writer.close()

    def _open(self) -> SummaryWriter:
        if self._writer is None:
            self._writer = SummaryWriter(str(self._folder), purge_step=self._purge)
        return self._writer


class RunLog(StepCallback):
    """Logs at intervals; only then does the host read numbers from the device.

    Args:
        table: Log of the training numbers.
        board: TensorBoard's files.
        every: Steps between entries.
        say: Called with lines of progress.
        warn: Called with what goes wrong.
    """

    def __init__(self, table: StepLog, board: TensorBoard, every: int, *, say: Say, warn: Say) -> None:
        self._table, self._board, self._every, self._say, self._warn = table, board, every, say, warn
        self._start, self._start_step = 0.0, 0

    @override
    def before_steps(self, trainer: Trainer, module: SupervisedModule) -> None:
        """Start the clock."""
        self._start, self._start_step = time.monotonic(), trainer.global_step

    @override
    def after_step(self, trainer: Trainer, module: SupervisedModule) -> None:
        """Log, if it is time."""
        step = trainer.global_step
        if step % self._every == 0 or step == trainer.max_steps:
            values = torch.stack([value.float() for value in (*module.numbers.values(), module.guard.skipped)])
            # All processes take part: each knows the loss of its own samples only.
            values = cast("Tensor", trainer.strategy.reduce(values, reduce_op="mean"))
            if trainer.is_global_zero:
                self._log(trainer, module, step, values.tolist())

    def _log(self, trainer: Trainer, module: SupervisedModule, step: int, values: list[float]) -> None:
        numbers = dict(zip((*module.numbers, "skipped"), values, strict=True))
        numbers["rate"] = module.rate(step - 1)
        try:
            self._table.put(step, numbers)
        except OSError as error:
            self._warn(
                f"the log was not written: {error.strerror or error}; this row will be written with the next one"
            )
        self._board.put(step, {f"train/{name}": number for name, number in numbers.items()})
        self._say(self._progress(trainer, numbers, step))

    def _progress(self, trainer: Trainer, numbers: Mapping[str, float], step: int) -> str:
        speed = (step - self._start_step) / max(time.monotonic() - self._start, 1e-9)
        left = max(0, trainer.max_steps - step) / max(speed, 1e-9)
        skipped = f"  {numbers['skipped']:.0f} skipped" if numbers["skipped"] else ""
        return (
            f"step {step} of {trainer.max_steps}  loss {numbers['loss']:.5g}  rate {numbers['rate']:.3g}"
            f"{skipped}  {speed:.2f} steps/s  {_clock(left)} left"
        )


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"
