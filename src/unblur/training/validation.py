"""Scores on fixed samples, and the decision to stop early."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, cast

import torch
from lightning.pytorch import LightningModule, Trainer
from torch import Tensor
from typing_extensions import override

from unblur.errors import SettingsError
from unblur.training.data import StreamData
from unblur.training.hooks import Say, StepCallback, data_of
from unblur.training.interruption import Interruption
from unblur.training.module import SupervisedModule
from unblur.training.run_log import TensorBoard
from unblur.training.settings import RunSettings
from unblur.training.step_log import StepLog

__all__ = ["Validation"]


class Validation(StepCallback):
    """Evaluates the averaged weights every so many steps.

    This is no loop of Lightning's, because the checkpoint of a step must know whether that step was validated: a
    run that was stopped in between validates when it continues.

    Args:
        settings: When to validate, and when to stop early.
        table: Log of the scores.
        board: TensorBoard's files.
        interruption: After a signal, a validation is left unfinished.
        say: Called with the scores.
        warn: Called with what goes wrong.
    """

    def __init__(
        self,
        settings: RunSettings,
        table: StepLog,
        board: TensorBoard,
        interruption: Interruption,
        *,
        say: Say,
        warn: Say,
    ) -> None:
        self._settings, self._table, self._board = settings, table, board
        self._interruption, self._say, self._warn = interruption, say, warn
        self._validated = 0
        self._best: float | None = None
        self._waited = 0
        self.scores: dict[str, float] = {}

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint keeps."""
        return {"validated": self._validated, "best": self._best, "waited": self._waited, "scores": self.scores}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore what a checkpoint kept."""
        self._validated, self._best = state_dict["validated"], state_dict["best"]
        self._waited, self.scores = state_dict["waited"], state_dict["scores"]
        self._table.rewind(self._validated)

    @override
    def before_steps(self, trainer: Trainer, module: SupervisedModule) -> None:
        """Repeat a validation that was left unfinished; a run that stopped early has nothing more to do."""
        self._validate_if_due(trainer, module)
        trainer.should_stop |= self._waited >= self._settings.patience

    @override
    def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        # the validation after the last step may have been left unfinished, too
        self._validate_if_due(trainer, cast("SupervisedModule", pl_module))

    @override
    def after_step(self, trainer: Trainer, module: SupervisedModule) -> None:
        """Validate, if it is time."""
        self._validate_if_due(trainer, module)

    def _validate_if_due(self, trainer: Trainer, module: SupervisedModule) -> None:
        step = trainer.global_step
        is_due = step > 0 and (step % self._settings.validate_every == 0 or step == trainer.max_steps)
        data = data_of(trainer)
        if not is_due or step == self._validated or data.validation is None:
            return
        scores = self._evaluate(module, data)
        if scores is None:
            return
        if not self._validated:
            for fault in dict.fromkeys(data.validation_faults):
                self._warn(f"a photo for validation cannot be read and is left out: {fault}")
        self._validated, self.scores = step, scores
        if trainer.is_global_zero:
            self._report(module, data, step)
        if self._settings.monitor:
            trainer.should_stop |= self._should_stop()

    def _evaluate(self, module: SupervisedModule, data: StreamData) -> dict[str, float] | None:
        """Means over the validation samples; None if interrupted."""
        values: dict[str, list[Tensor]] = {}
        with _averaged(module):
            for batch in data.validation_batches():
                if self._interruption.signal:
                    return None
                for name, value in module.objective.evaluate(
                    module.transfer_batch_to_device(batch, module.device, 0)
                ).items():
                    values.setdefault(name, []).append(value)
        return {name: float(torch.cat(parts).double().mean()) for name, parts in values.items()}

    def _report(self, module: SupervisedModule, data: StreamData, step: int) -> None:
        try:
            self._table.put(step, self.scores)
        except OSError as error:
            self._warn(
                f"the scores were not written: {error.strerror or error}; they will be written with the next ones"
            )
        pictures: dict[str, Tensor] = {}
        if step % self._settings.pictures_every == 0:
            with _averaged(module):
                first = module.transfer_batch_to_device(data.validation_batches()[0], module.device, 0)
                pictures = module.objective.pictures(first)
        self._board.put(step, {f"validation/{name}": score for name, score in self.scores.items()}, pictures)
        self._say(
            f"validation at step {step}: " + ", ".join(f"{name} {score:.5g}" for name, score in self.scores.items())
        )

    def _should_stop(self) -> bool:
        """Whether the monitored score has stopped improving."""
        settings = self._settings
        if settings.monitor not in self.scores:
            raise SettingsError(f"run.monitor is {settings.monitor!r}, but validation gives: {', '.join(self.scores)}")
        sign = 1 if settings.better == "higher" else -1
        score = sign * self.scores[settings.monitor]
        if self._best is None or score > self._best + settings.min_change:
            self._best, self._waited = score, 0
        else:
            self._waited += 1
        if self._waited >= settings.patience:
            self._say(f"{settings.monitor} has not improved in {self._waited} validations: the run stops")
        return self._waited >= settings.patience


@contextmanager
def _averaged(module: SupervisedModule) -> Generator[None]:
    """Within, the network has its averaged weights and no gradients, and random numbers are the same each time."""
    module.eval()
    device = [module.device] if module.device.type == "cuda" else []
    with torch.no_grad(), torch.random.fork_rng(device), module.average.swapped_into(module.objective.network):
        torch.manual_seed(module.seed)
        yield
    module.train()
