"""Settings of the methods that change nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

__all__ = ["InputSettings", "SlowInputSettings"]


@dataclass(frozen=True)
class InputSettings:
    """No settings."""


@dataclass(frozen=True)
class SlowInputSettings:
    """How long to wait."""

    steps: Annotated[int, "Number of pauses."] = 4
    nap: Annotated[float, "Seconds of each pause."] = 0.05
