"""Saving, logging, validation and stopping of a run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from unblur.errors import SettingsError

__all__ = ["RunSettings"]


@dataclass(frozen=True)
class RunSettings:
    """Everything about a run that does not change how it learns.

    Attributes:
        name: Name of the exported weights; empty: that of the recipe's file.
        seed: Seed of random numbers within a step; seeds of the data are settings of the streams.
        save_every: Steps between checkpoints.
        keep: Number of newest checkpoints that are kept.
        log_every: Steps between rows of the log.
        validate_every: Steps between validations.
        pictures_every: Steps between pictures; a multiple of `validate_every`.
        monitor: Validation score that decides when to stop early; empty: none.
        better: Whether higher or lower is better.
        patience: Validations without a better score that end the run.
        min_change: Smallest change of the score that counts as better.
        keep_going: Go on if a checkpoint cannot be written, with a warning each time.
        trained_on: The training data in a few words, for the card.
        licence: Licence of the exported weights, for the card.
    """

    name: str = ""
    seed: int = 0
    save_every: int = 500
    keep: int = 3
    log_every: int = 50
    validate_every: int = 500
    pictures_every: int = 5000
    monitor: str = ""
    better: Literal["higher", "lower"] = "higher"
    patience: int = 10
    min_change: float = 0.0
    keep_going: bool = True
    trained_on: str = ""
    licence: str = ""

    def __post_init__(self) -> None:
        for name in ("save_every", "log_every", "validate_every", "pictures_every", "patience"):
            if getattr(self, name) < 1:
                raise SettingsError(f"run.{name} takes a whole number of 1 or more, not {getattr(self, name)}")
        if self.keep < 2:
            raise SettingsError(
                "run.keep takes 2 or more: if the newest checkpoint is damaged, the one before is needed"
            )
        if self.pictures_every % self.validate_every:
            raise SettingsError("run.pictures_every is not a multiple of run.validate_every")
