"""Makes `--help` quicker: Typer's help is loaded without the parts of Rich that ours does not use."""

from __future__ import annotations

import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import ModuleType

from typing_extensions import override

__all__ = ["leave_out_unused"]

_MODULE = "typer.rich_utils"
_UNUSED = {"rich.markdown": "Markdown", "rich.traceback": "Traceback"}
"""Classes that it imports by name. Our help is not in Markdown, and errors become a line of our own."""


def leave_out_unused() -> None:
    """Let Typer's help, when it is imported, take empty classes for those that parse Markdown and show tracebacks.

    With them come parsers of Markdown and of source code, a third of the time that the help of the program takes.
    Other parts of this process that import them get the real ones.
    """
    if _MODULE not in sys.modules and _Finder not in sys.meta_path:
        sys.meta_path.insert(0, _Finder)


class _Finder(PathFinder):
    @classmethod
    @override
    def find_spec(
        cls, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != _MODULE:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and type(spec.loader) is SourceFileLoader:
            spec.loader = _Loader(spec.loader.name, spec.loader.path)
        return spec


class _Loader(SourceFileLoader):
    @override
    def exec_module(self, module: ModuleType) -> None:
        with _placeholders():
            super().exec_module(module)


@contextmanager
def _placeholders() -> Generator[None]:
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
