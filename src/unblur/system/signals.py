"""SIGINT and SIGTERM: the current photo is dropped, unless it is being written; then it is finished first."""

from __future__ import annotations

import signal
import sys
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType

__all__ = ["Interrupted", "catch_signals", "check_interrupted", "shielded"]


class Interrupted(BaseException):
    """A signal asked the program to end.

    No `Exception`, so that no handler for faults takes it for one.

    Attributes:
        exit_code: 128 and the signal's number, as shells have it: 130 for SIGINT, 143 for SIGTERM.
    """

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.exit_code = 128 + number


class _State:
    pending: int | None = None
    shields: int = 0


_state = _State()


@contextmanager
def catch_signals(*numbers: int) -> Generator[None]:
    """Within, each of these signals raises `Interrupted` in the main thread, at the latest at the end."""
    before = {number: signal.signal(number, _raise) for number in numbers}
    hook, sys.unraisablehook = sys.unraisablehook, _ignore_interrupted
    pending = None
    try:
        yield
        pending = _state.pending
    finally:
        sys.unraisablehook = hook
        for number, handler in before.items():
            signal.signal(number, handler)
        _state.pending = None
    if pending is not None:
        raise Interrupted(pending)


@contextmanager
def shielded() -> Generator[None]:
    """Within, a first signal waits until the end; a second one does not."""
    _state.shields += 1
    try:
        yield
    finally:
        _state.shields -= 1
    check_interrupted()


def check_interrupted() -> None:
    """Raise `Interrupted` if a signal is waiting.

    For progress hooks too: an exception raised by a handler can be swallowed where Python cannot pass it on, such
    as in a callback from C.
    """
    if _state.pending is not None and not _state.shields:
        raise Interrupted(_state.pending)


def _ignore_interrupted(failure: sys.UnraisableHookArgs) -> None:
    """Say nothing of an interruption that Python cannot pass on; it is pending, and raised later."""
    if not isinstance(failure.exc_value, Interrupted):
        sys.__unraisablehook__(failure)


def _raise(number: int, _frame: FrameType | None) -> None:
    is_first = _state.pending is None
    _state.pending = number
    if not (is_first and _state.shields):
        raise Interrupted(number)
