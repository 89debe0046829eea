"""What settings of all methods that learn on one photo have to hold."""

from __future__ import annotations

from typing import Protocol

from unblur.errors import SettingsError
from unblur.methods.catalog import find_entry

__all__ = ["check_run", "check_teacher"]

_SMALLEST = 33
"""Five halvings leave two pixels of 33: of one, the networks could not normalise."""


class _RunSettings(Protocol):
    @property
    def steps(self) -> int: ...
    @property
    def width(self) -> int: ...
    @property
    def warm_steps(self) -> int: ...
    @property
    def patience(self) -> int: ...
    @property
    def smallest(self) -> int: ...


def check_run(settings: _RunSettings) -> None:
    """Refuse numbers that no run can have.

    Raises:
        SettingsError: One is out of range; the message names it.
    """
    for name in ("steps", "width"):
        if getattr(settings, name) < 0:
            raise SettingsError(f"{name} takes a number from 1 up, or 0, not {getattr(settings, name)}")
    for name, least in (("patience", 1), ("smallest", _SMALLEST)):
        if getattr(settings, name) < least:
            raise SettingsError(f"{name} takes a number from {least} up, not {getattr(settings, name)}")
    if settings.warm_steps < -1:
        raise SettingsError(f"warm_steps takes a number from 0 up, or -1, not {settings.warm_steps}")


def check_teacher(name: str, weights: str) -> None:
    """Refuse weights for a teacher that takes none.

    Raises:
        SettingsError: There are some.
    """
    if weights and (name in ("auto", "identity", "none") or not find_entry(name).takes_weights):
        raise SettingsError(f"teacher_weights is for a trained teacher, and {name} takes none")
