"""Makes the import of Gradio quicker."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import ModuleType
from typing import Any

from typing_extensions import override

__all__ = ["leave_out_help"]

_MODULE = "gradio.component_meta"
_WRITES_STUB = "create_or_modify_pyi"
_LISTENER, _FILLS_IN = "EventListener", "set_doc"


def leave_out_help() -> None:
    """Let Gradio, when it is imported, write no stub files for editors and fill in no docstrings.

    For the stubs it parses the source of each of its components and rewrites a file beside it whenever it is imported,
    which also changes the installation, and that may be read-only; for the docstrings it compiles a template for each
    of 216 methods. Together this is half of the time that the import takes.
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
        super().exec_module(module)
        for place, name in ((module, _WRITES_STUB), (getattr(module, _LISTENER, None), _FILLS_IN)):
            if hasattr(place, name):
                setattr(place, name, _do_nothing)


def _do_nothing(*_: Any, **__: Any) -> None:
    """In the place of what writes for editors."""
