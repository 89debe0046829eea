"""Checkpoints that survive a crash at any moment, a full disk and damage."""

from __future__ import annotations

import io
import os
import re
import time
from pathlib import Path
from typing import Any

import torch
from lightning.fabric.plugins.io.checkpoint_io import CheckpointIO
from lightning.pytorch import Trainer
from typing_extensions import override

from unblur.errors import CheckpointError, OutputError, WriteError
from unblur.system.atomic import TEMPORARY_PREFIX, atomic_write
from unblur.training.hooks import Say, StepCallback
from unblur.training.module import SupervisedModule
from unblur.training.settings import RunSettings
from unblur.weights.files import read_bytes
from unblur.weights.zip_file import read_zip

__all__ = [
    "CheckpointKeeper",
    "SafeCheckpointIO",
    "clear_leftovers",
    "list_checkpoints",
    "newest_whole",
    "read_training",
]

_PAUSES = (1.0, 3.0, 9.0)
"""Seconds before each further try to write: faults of a disk often pass."""

_NAME = re.compile(r"step-(\d+)\.ckpt")
_STATE = {"state_dict", "optimizer_states", "loops", "global_step"}


class SafeCheckpointIO(CheckpointIO):
    """Writes and reads Lightning's checkpoints.

    They are written to a temporary file, read back and renamed, with further tries if that fails. They are read as
    plain weights only, by the rules for checkpoints from anywhere: nothing in them is run.

    Args:
        warn: Called with what goes wrong.
        keep_going: Do not stop the run for a checkpoint that cannot be written.
        pauses: Seconds before each further try.
    """

    def __init__(self, warn: Say, *, keep_going: bool = True, pauses: tuple[float, ...] = _PAUSES) -> None:
        self._warn, self._keep_going, self._pauses = warn, keep_going, pauses

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | os.PathLike[str], storage_options: Any | None = None
    ) -> None:
        """Write a checkpoint.

        Raises:
            OutputError: It cannot be written, and the run is to stop then.
        """
        del storage_options  # nothing to choose
        file = io.BytesIO()
        torch.save(checkpoint, file)
        for pause in (*self._pauses, None):
            try:
                atomic_write(path, file.getbuffer(), overwrite=True, read_back=True)
            except (OutputError, WriteError) as error:
                if pause is None:
                    self._give_up(error)
                    return
                self._warn(f"the checkpoint {Path(path).name} was not written: {error}; next try in {pause:g} s")
                time.sleep(pause)
            else:
                return

    def load_checkpoint(
        self, path: str | os.PathLike[str], map_location: Any | None = None, weights_only: bool | None = None
    ) -> dict[str, Any]:
        """Read a checkpoint; whatever Lightning asks for, only plain weights are read, and onto the processor."""
        del map_location, weights_only
        return read_training(Path(path))

    def remove_checkpoint(self, path: str | os.PathLike[str]) -> None:
        """Remove a checkpoint."""
        Path(path).unlink(missing_ok=True)

    def _give_up(self, error: OutputError | WriteError) -> None:
        if not self._keep_going:
            raise OutputError(f"a checkpoint cannot be written: {error}") from error
        self._warn(
            f"NO CHECKPOINT WAS WRITTEN: {error}; the run continues, and after a crash would continue from the last one"
        )


class CheckpointKeeper(StepCallback):
    """Writes a checkpoint every so many steps and at the end, and keeps the newest.

    Args:
        folder: Existing folder of the checkpoints.
        settings: When to write one, and how many to keep.
    """

    def __init__(self, folder: Path, settings: RunSettings) -> None:
        self._folder, self._settings = folder, settings

    @override
    def after_step(self, trainer: Trainer, module: SupervisedModule) -> None:
        """Save, if it is time."""
        if trainer.global_step % self._settings.save_every == 0 or trainer.global_step == trainer.max_steps:
            self.save(trainer)

    def save(self, trainer: Trainer) -> None:
        """Save now, and remove what is no longer needed."""
        path = self._folder / f"step-{trainer.global_step:09d}.ckpt"
        trainer.save_checkpoint(path)
        if trainer.is_global_zero and path.exists():
            for old in list_checkpoints(self._folder)[self._settings.keep :]:
                old.unlink(missing_ok=True)


def list_checkpoints(folder: Path) -> list[Path]:
    """The checkpoints of a run, newest first."""
    return sorted((path for path in folder.glob("step-*.ckpt") if _NAME.fullmatch(path.name)), reverse=True)


def clear_leftovers(folder: Path) -> None:
    """Remove what a killed run had not finished writing; the caller holds the folder."""
    for path in folder.glob(f"{TEMPORARY_PREFIX}*"):
        path.unlink(missing_ok=True)


def newest_whole(folder: Path, warn: Say) -> Path | None:
    """The newest checkpoint that can be read; None if there is none at all.

    Raises:
        CheckpointError: There are some, and all are damaged.
    """
    paths = list_checkpoints(folder)
    for path in paths:
        try:
            read_training(path)
        except CheckpointError as error:
            warn(f"{path.name} {error}; taking the one before")
        else:
            return path
    if paths:
        raise CheckpointError(f"none of the {len(paths)} checkpoints can be read; --resume never starts over")
    return None


def read_training(path: Path) -> dict[str, Any]:
    """The whole state of a run; nothing in the file is ever run.

    Raises:
        CheckpointError: Missing, damaged, more than plain weights, or weights without the state of a run.
    """
    data = read_bytes(path)
    if not data:
        raise CheckpointError("is empty")
    if not data.startswith(b"PK\x03\x04"):
        raise CheckpointError("is no checkpoint of a training run, or its begin is damaged")
    saved = read_zip(data)
    if not isinstance(saved, dict) or not saved.keys() >= _STATE:
        raise CheckpointError("holds no state of a training run")
    return saved
