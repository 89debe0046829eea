"""SIGINT and SIGTERM: the current step is finished, a checkpoint is written, and the run ends."""

from __future__ import annotations

import signal
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType

from lightning.pytorch import Trainer
from typing_extensions import override

from unblur.training.checkpoints import CheckpointKeeper
from unblur.training.hooks import StepCallback
from unblur.training.module import SupervisedModule

__all__ = ["Interruption", "StopOnSignal"]


class Interruption:
    """Whether a signal asked the run to end.

    Attributes:
        signal: Number of the signal; None: none came.
    """

    def __init__(self) -> None:
        self.signal: int | None = None

    @contextmanager
    def listening(self) -> Generator[None]:
        """Within, the first signal is noted; a second one has its usual effect at once."""
        before = {number: signal.signal(number, self._note) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _note(self, number: int, _frame: FrameType | None) -> None:
        if self.signal is not None:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        self.signal = number


class StopOnSignal(StepCallback):
    """Saves and stops after the step during which a signal came.

    Args:
        interruption: The signal, if one came.
        keeper: Writes the checkpoint.
    """

    def __init__(self, interruption: Interruption, keeper: CheckpointKeeper) -> None:
        self._interruption, self._keeper = interruption, keeper

    @override
    def after_step(self, trainer: Trainer, module: SupervisedModule) -> None:
        """Stop, if a signal came."""
        asked = self._interruption.signal is not None
        # all processes of a run stop after the same step, or those left would wait for ever
        if trainer.world_size > 1:
            asked = trainer.strategy.reduce_boolean_decision(asked, all=False)
        if asked:
            self._keeper.save(trainer)
            trainer.should_stop = True
