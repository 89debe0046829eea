"""What settings of all methods that learn on one photo have to hold."""

from __future__ import annotations

from typing import Literal, Protocol

from unblur.errors import SettingsError

__all__ = ["TeacherName", "check_run", "check_teacher"]

TeacherName = Literal["map", "dublid", "golf", "dmphn", "mprnet", "nafnet", "known-kernel", "identity", "none"]
"""Methods whose answer a fit can begin with or be guided by; identity is the photo itself."""

_SMALLEST = 33
"""Five halvings leave two pixels of 33: of one, the networks could not tell a mean from a deviation."""


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
    if weights and name in ("auto", "map", "known-kernel", "identity", "none"):
        raise SettingsError(f"teacher_weights is for a trained teacher, and {name} takes none")
