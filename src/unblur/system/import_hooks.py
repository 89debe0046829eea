"""Changes what a module of another package does while it is imported, or what it holds afterwards."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import ModuleType

from typing_extensions import override

__all__ = ["Around", "run_around_import"]

Around = Callable[[ModuleType], AbstractContextManager[None]]
"""Given the module, before any of its code ran; the code runs inside."""


def run_around_import(name: str, around: Around) -> None:
    """Let the code of a module run inside a context when it is imported; nothing where it is already, or will be so.

    Args:
        name: Of the module, which is a file of Python's source; any other is left alone.
        around: Makes the context.
    """
    is_set_up = any(isinstance(finder, _Finder) and finder.name == name for finder in sys.meta_path)
    if name not in sys.modules and not is_set_up:
        sys.meta_path.insert(0, _Finder(name, around))


class _Finder:
    def __init__(self, name: str, around: Around) -> None:
        self.name, self._around = name, around

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != self.name:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and type(spec.loader) is SourceFileLoader:
            spec.loader = _Loader(spec.loader, self._around)
        return spec


class _Loader(SourceFileLoader):
    def __init__(self, own: SourceFileLoader, around: Around) -> None:
        super().__init__(own.name, own.path)
        self._around = around

    @override
    def exec_module(self, module: ModuleType) -> None:
        with self._around(module):
            super().exec_module(module)
