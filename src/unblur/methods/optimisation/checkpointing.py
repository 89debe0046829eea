"""A run on disk, so that it can be resumed."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from unblur.errors import CheckpointError
from unblur.system.atomic import atomic_write
from unblur.weights.files import read_bytes
from unblur.weights.zip_file import read_zip

__all__ = ["RunFile", "fingerprint"]

_PARTS = {"networks", "groups", "generator", "rule", "result", "of"}


@dataclass(frozen=True)
class RunFile:
    """One file that holds one run.

    Attributes:
        path: Path of the file; its folder exists.
        of: Identifies the run: settings, and a checksum of the photo.
        every: Steps from one write to the next.
    """

    path: Path
    of: str
    every: int = 200

    def is_due(self, steps: int) -> bool:
        """Whether it is time to write."""
        return steps % self.every == 0

    def write(self, state: Mapping[str, Any]) -> None:
        """Replace what is there, in one go.

        Raises:
            OutputError: The folder cannot be written to.
        """
        file = io.BytesIO()
        torch.save({**state, "of": self.of}, file)
        atomic_write(self.path, file.getbuffer(), overwrite=True)

    def read(self) -> dict[str, Any] | None:
        """What was written; None if there is no such file.

        Raises:
            CheckpointError: It is damaged, no state of a run, or the state of another one.
        """
        if not self.path.exists():
            return None
        state = read_zip(read_bytes(self.path))
        if not isinstance(state, dict) or state.keys() != _PARTS:
            raise CheckpointError("the file of the state holds no run; name another file")
        if state.pop("of") != self.of:
            raise CheckpointError("the file of the state holds the run of another photo or other settings")
        return state

    def remove(self) -> None:
        """The run is over."""
        self.path.unlink(missing_ok=True)


def fingerprint(photo: Tensor, settings: Any, others: tuple[Any, ...]) -> str:
    """A checksum of everything that a run depends on, except the file that it is kept in.

    Args:
        photo: What is fitted.
        settings: A dataclass; its field `state` does not count.
        others: Further plain values.
    """
    numbers = {item.name: getattr(settings, item.name) for item in fields(settings) if item.name != "state"}
    digest = hashlib.sha256(photo.cpu().numpy().tobytes())
    digest.update(repr((numbers, tuple(photo.shape), *others)).encode())
    return digest.hexdigest()
