"""Objects that are named in text, such as the entries of a catalogue."""

from __future__ import annotations

from importlib import import_module
from typing import Any

__all__ = ["load_object"]


def load_object(reference: str) -> Any:
    """The object that `module:name` names; its module is imported now."""
    module, name = reference.split(":")
    return getattr(import_module(module), name)
