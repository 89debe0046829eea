"""Makes the import of Gradio quicker."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from unblur.system.import_hooks import run_around_import

__all__ = ["leave_out_help"]

_WRITES_STUB = "create_or_modify_pyi"
_LISTENER, _FILLS_IN = "EventListener", "set_doc"


def leave_out_help() -> None:
    """Let Gradio, when it is imported, write no stub files for editors and fill in no docstrings.

    For the stubs it parses the source of each of its components and rewrites a file beside it whenever it is imported,
    which also changes the installation, and that may be read-only; for the docstrings it compiles a template for each
    of 216 methods. Together this is half of the time that the import takes.
    """
    run_around_import("gradio.component_meta", _without_help)


@contextmanager
def _without_help(module: ModuleType) -> Generator[None]:
    yield
    for place, name in ((module, _WRITES_STUB), (getattr(module, _LISTENER, None), _FILLS_IN)):
        if hasattr(place, name):
            setattr(place, name, _do_nothing)


def _do_nothing(*_: Any, **__: Any) -> None:
    """In the place of what writes for editors."""
