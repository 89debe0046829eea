"""What the program says: a line a message, on standard error, with nothing in a name that a terminal would obey."""

from __future__ import annotations

import sys

from unblur.system.streams import drop_stderr
from unblur.system.text import shorten

__all__ = ["error_line", "escape", "say", "show_name", "warning_line"]

_LONGEST = 5_000
"""Characters of a message: two names of the greatest length that a system has, and a sentence."""


def escape(text: str) -> str:
    r"""The text with control characters, direction marks and bytes that are no UTF-8 written out, as in `\x1b`."""
    return "".join(char if char.isprintable() else _written_out(char) for char in text)


def show_name(path: object) -> str:
    """A file's name as people may see it; `-` for standard input or output."""
    return "-" if path is None else escape(str(path))


def error_line(reason: str, name: object = "") -> str:
    """`unblur: error: NAME: REASON`, without the name where no file is to blame."""
    return _line("error", reason, name)


def warning_line(reason: str, name: object = "") -> str:
    """`unblur: warning: NAME: REASON`."""
    return _line("warning", reason, name)


def say(line: str) -> None:
    """Print one line on standard error. That nobody can read it is no reason to stop."""
    try:
        print(line, file=sys.stderr, flush=True)  # noqa: T201 - this is the one place that prints
    except (OSError, ValueError):  # its reader is gone, its disk is full, or it is closed
        drop_stderr()


def _line(kind: str, reason: str, name: object) -> str:
    where = "" if name == "" else f"{show_name(name)}: "
    return f"unblur: {kind}: {where}{escape(shorten(' '.join(reason.split()), _LONGEST))}"


def _written_out(char: str) -> str:
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:  # how Python carries a byte that is no UTF-8
        return f"\\x{code - 0xDC00:02x}"
    return char.encode("unicode_escape").decode()
