"""Makes `--help` quicker: Typer's help is loaded without the parts of Rich that ours does not use."""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextlib import contextmanager
from types import ModuleType

from unblur.system.import_hooks import run_around_import

__all__ = ["leave_out_unused"]

_UNUSED = {"rich.markdown": "Markdown", "rich.traceback": "Traceback"}
"""Classes that it imports by name. Our help is not in Markdown, and errors become a line of our own."""


def leave_out_unused() -> None:
    """Let Typer's help, when it is imported, take empty classes for those that parse Markdown and show tracebacks.

    With them come parsers of Markdown and of source code, a third of the time that the help of the program takes.
    Other parts of this process that import them get the real ones.
    """
    run_around_import("typer.rich_utils", _with_placeholders)


@contextmanager
def _with_placeholders(_: ModuleType) -> Generator[None]:
    """Modules with the empty classes, in the place of those that are not loaded yet."""
    placed = [name for name in _UNUSED if name not in sys.modules]
    for name in placed:
        sys.modules[name] = ModuleType(name)
        setattr(sys.modules[name], _UNUSED[name], type(_UNUSED[name], (), {}))
    try:
        yield
    finally:
        for name in placed:
            del sys.modules[name]
