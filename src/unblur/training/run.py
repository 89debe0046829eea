"""A training run from its recipe to exported weights, in a folder from which it can be resumed at any time."""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Generator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lightning.fabric.utilities.rank_zero import rank_zero_only
from lightning.fabric.utilities.warnings import PossibleUserWarning
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.utilities.exceptions import SIGTERMException
from typing_extensions import override

from unblur.errors import CheckpointError, TrainingError
from unblur.system.atomic import atomic_write, make_folder
from unblur.system.lock import hold_folder
from unblur.system.run_record import Record, differences, record_bytes
from unblur.training.checkpoints import (
    CheckpointKeeper,
    SafeCheckpointIO,
    clear_leftovers,
    list_checkpoints,
    newest_whole,
    read_training,
)
from unblur.training.export import export_weights
from unblur.training.faults import BadPhotos, BadSteps
from unblur.training.hooks import Say
from unblur.training.interruption import Interruption, StopOnSignal
from unblur.training.recipe import Recipe
from unblur.training.record import WITHOUT_EFFECT, training_record
from unblur.training.run_log import RunLog, TensorBoard
from unblur.training.step_log import StepLog
from unblur.training.validation import Validation

__all__ = ["TrainingResult", "train"]


@dataclass(frozen=True)
class TrainingResult:
    """How a run ended.

    Attributes:
        step: Number of finished steps.
        weights: The exported file; None if the run was interrupted.
        signal: The signal that interrupted it.
    """

    step: int
    weights: Path | None = None
    signal: int | None = None


def train(
    recipe: Recipe,
    folder: Path,
    *,
    resume: str = "auto",
    force: bool = False,
    say: Say,
    warn: Say,
    interruption: Interruption | None = None,
) -> TrainingResult:
    """Train, or continue a run.

    Args:
        recipe: The run's recipe.
        folder: Where all that the run writes goes; it is made if it is not there.
        resume: `auto`: continue from the newest checkpoint in the folder, if there is one; `never`: start over; else a
            checkpoint's path.
        force: Continue although settings, data or code are not those of the checkpoint, start over on top of another
            run, or take over the folder of a run on another machine.
        say: Called with lines of progress.
        warn: Called with what goes wrong without ending the run.
        interruption: Notes signals; None: signals do what they do outside.

    Raises:
        TrainingError: The folder is in use, the checkpoint belongs to another run, or the run cannot continue.
        CheckpointError: There is no checkpoint that can be read.
        OutputError: The folder cannot be written to.
    """
    interruption = interruption or Interruption()
    is_first = getattr(rank_zero_only, "rank", 0) == 0  # Lightning starts the others with the same command
    checkpoints = _make_folders(folder)
    with hold_folder(folder, force=force) if is_first else nullcontext(), _quiet():
        if is_first:
            clear_leftovers(checkpoints)
        record = training_record(
            recipe.values,
            recipe.module.objective,
            {"train": recipe.data.train, "validation": recipe.data.validation},
        )
        start = _find_start(checkpoints, resume, force=force, warn=warn)
        step = _check_start(start, record, force=force, say=say, warn=warn) if start else 0
        if is_first:
            _write_record(folder, record, step)
        with interruption.listening():
            run = _Run(recipe, folder, record, step, interruption, force=force, say=say, warn=warn)
            return run.fit(start)


class _Run:
    """The trainer of a run with all that belongs to it."""

    def __init__(
        self,
        recipe: Recipe,
        folder: Path,
        record: Record,
        step: int,
        interruption: Interruption,
        *,
        force: bool,
        say: Say,
        warn: Say,
    ) -> None:
        self.recipe, self.folder, self.record, self.interruption, self.say = recipe, folder, record, interruption, say
        settings = recipe.settings
        log, scores = StepLog(folder / "log.csv"), StepLog(folder / "scores.csv")
        log.rewind(step)
        scores.rewind(step)
        self.board = TensorBoard(folder / "tensorboard", warn)
        self.board.rewind(step)
        keeper = CheckpointKeeper(folder / "checkpoints", settings)
        self.validation = Validation(settings, scores, self.board, interruption, say=say, warn=warn)
        # in this order at the end of each step: a checkpoint knows what was validated and logged
        callbacks: list[Callback] = [
            BadPhotos(warn),
            self.validation,
            RunLog(log, self.board, settings.log_every, say=say, warn=warn),
            BadSteps(keeper, settings.log_every),
            keeper,
            StopOnSignal(interruption, keeper),
            _RecordKeeper(record, force=force),
        ]
        self.trainer = Trainer(
            **recipe.trainer,
            callbacks=callbacks,
            plugins=[SafeCheckpointIO(warn, keep_going=settings.keep_going)],
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            use_distributed_sampler=False,
            max_epochs=-1,
            default_root_dir=folder,
        )

    def fit(self, start: Path | None) -> TrainingResult:
        """Train to the end or to an interruption, and export."""
        try:
            self.trainer.fit(self.recipe.module, datamodule=self.recipe.data, ckpt_path=start)
        except SIGTERMException:  # Lightning's way to end after the signal that StopOnSignal has seen, too
            pass
        finally:
            self.board.close()
        step = self.trainer.global_step
        if self.interruption.signal is not None:
            self.say(f"stopped after step {step}; the same command continues from there")
            return TrainingResult(step, signal=self.interruption.signal)
        return TrainingResult(step, weights=self._export(step))

    def _export(self, step: int) -> Path | None:
        if not self.trainer.is_global_zero:
            return None
        settings = {name: str(value) for name, value in asdict(self.recipe.settings).items()}
        path = export_weights(
            self.recipe.module,
            self.folder,
            self.recipe.name,
            step=step,
            processes=self.trainer.world_size,
            scores=self.validation.scores,
            record=self.record,
            settings=settings,
        )
        self.say(f"done after step {step}; the weights are in {path.name}")
        return path


class _RecordKeeper(Callback):
    """Puts the record into each checkpoint, so that a checkpoint alone says what it is of."""

    def __init__(self, record: Record, *, force: bool) -> None:
        self._record, self._force = record, force

    @override
    def on_save_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        checkpoint["unblur_record"] = json.dumps(self._record)
        checkpoint["unblur_processes"] = trainer.world_size

    @override
    def on_load_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        """Refuse another number of processes, which `devices: auto` can come to: a step would see other samples.

        Raises:
            TrainingError: It is another number, and `force` was not given.
        """
        before = checkpoint.get("unblur_processes", trainer.world_size)
        if before != trainer.world_size and not self._force:
            raise TrainingError(
                f"the checkpoint is of a run of {before} process(es), and this one has {trainer.world_size}; "
                f"give trainer.devices {before}, or continue all the same with --force"
            )


def _make_folders(folder: Path) -> Path:
    """The folder for checkpoints."""
    checkpoints = folder / "checkpoints"
    make_folder(checkpoints)
    return checkpoints


def _find_start(checkpoints: Path, resume: str, *, force: bool, warn: Say) -> Path | None:
    """The checkpoint to continue from; None: start over."""
    if resume == "auto":
        return newest_whole(checkpoints, warn)
    if resume != "never":
        return Path(resume)
    old = list_checkpoints(checkpoints)
    if old and not force:
        raise TrainingError(
            "there is a run in this folder; choose another with --out, or start over in it with --force"
        )
    for path in old:
        path.unlink()
    return None


def _check_start(start: Path, record: Record, *, force: bool, say: Say, warn: Say) -> int:
    """The step of a checkpoint, if it is of this very run."""
    try:
        saved = read_training(start)
        found = differences(json.loads(saved["unblur_record"]), record, without_effect=WITHOUT_EFFECT)
    except (KeyError, ValueError, AttributeError, TypeError):
        raise CheckpointError(f"{start.name} does not say which run it is of") from None
    except CheckpointError as error:
        raise CheckpointError(f"{start.name} {error}") from error
    if found and not force:
        raise TrainingError(
            f"{start.name} is of another run: {'; '.join(found)};"
            " continue all the same with --force, or choose another --out"
        )
    for difference in found:
        warn(f"continuing although {difference}")
    say(f"continuing from {start.name}")
    return int(saved["global_step"])


def _write_record(folder: Path, record: Record, step: int) -> None:
    """Add this start to the list of those in `run.json`."""
    path = folder / "run.json"
    try:
        starts = json.loads(path.read_text(encoding="utf-8"))["starts"] if step else []
    except (OSError, ValueError, LookupError, TypeError):
        starts = []
    starts = [*starts, {"step": step, **record}]
    atomic_write(path, record_bytes({"starts": starts}), overwrite=True)


@contextmanager
def _quiet() -> Generator[None]:
    """Within, Lightning's advice is not shown."""
    logger = logging.getLogger("lightning.pytorch")
    level = logger.level
    logger.setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PossibleUserWarning)
        warnings.filterwarnings("ignore", message=".*LeafSpec.* is deprecated")  # Lightning's own use of torch
        try:
            yield
        finally:
            logger.setLevel(level)
