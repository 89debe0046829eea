"""The list of methods. Nothing of a method is imported before it is used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from unblur.errors import UnknownMethodError
from unblur.methods.settings import make_settings

if TYPE_CHECKING:
    from unblur.methods.base import Method

__all__ = ["CATALOG", "Entry", "find_entry", "list_methods", "load_method", "settings_class_of"]


@dataclass(frozen=True)
class Entry:
    """One method as a list shows it.

    Attributes:
        summary: One line for people.
        settings: Where its settings class is, `module:name`; that module must not import torch.
        method: Where its class is, `module:name`; called with the settings.
        needs_torch: False: it works on stored pixels (`restore_picture`) and torch is never imported.
        finds: The blur that it returns: `nothing`, `kernel` or `motion field`.
        state: Honest state in a few words.
    """

    summary: str
    settings: str
    method: str
    needs_torch: bool = True
    finds: str = "nothing"
    state: str = "works"


CATALOG: dict[str, Entry] = {
    "map": Entry(
        summary="blind MAP deblurring: finds one kernel for the photo; no training, no weights",
        settings="unblur.methods.classical_map.settings:MapSettings",
        method="unblur.methods.classical_map.method:ClassicalMap",
        finds="kernel",
    ),
    "known-kernel": Entry(
        summary="deconvolution with a kernel that you give (--kernel)",
        settings="unblur.methods.known_kernel.settings:KnownKernelSettings",
        method="unblur.methods.known_kernel.method:KnownKernel",
    ),
    "input": Entry(
        summary="decode and encode, nothing else: what file handling alone does to a picture",
        settings="unblur.methods.identity:InputSettings",
        method="unblur.methods.identity:Input",
        needs_torch=False,
    ),
    "slow-input": Entry(
        summary="like input, but sleeps on the way: for tests of interruption",
        settings="unblur.methods.identity:SlowInputSettings",
        method="unblur.methods.identity:SlowInput",
        needs_torch=False,
    ),
}


def list_methods() -> dict[str, str]:
    """Names of all methods with a line about each."""
    return {name: entry.summary for name, entry in CATALOG.items()}


def find_entry(name: str) -> Entry:
    """The catalogue's entry of that name.

    Raises:
        UnknownMethodError: There is none; the message lists the names.
    """
    if name not in CATALOG:
        raise UnknownMethodError(f"there is no method named {name!r}; choose one of: {', '.join(CATALOG)}")
    return CATALOG[name]


def load_method(name: str, settings: Mapping[str, Any] | None = None) -> Method:
    """A method, ready to run.

    Args:
        name: A name of `list_methods()`.
        settings: The method's own settings by name; what is not named keeps its default.

    Raises:
        UnknownMethodError: No such method.
        SettingsError: A setting that it does not have, or a value that it cannot take.
    """
    entry = find_entry(name)
    chosen = make_settings(_find(entry.settings), settings or {})
    return _find(entry.method)(chosen)


def settings_class_of(name: str) -> type[Any]:
    """The settings class of a method; torch is not imported for it."""
    return _find(find_entry(name).settings)


def _find(place: str) -> Any:
    module, name = place.split(":")
    return getattr(import_module(module), name)
