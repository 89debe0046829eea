"""The list of methods, a line each. Nothing of a method but its entry is imported before it is used."""

from __future__ import annotations

from typing import Any

from unblur.errors import UnknownMethodError
from unblur.methods.entry import Entry
from unblur.system.imports import load_object

__all__ = [
    "CATALOG",
    "DEFAULT_METHOD",
    "find_entry",
    "list_entries",
    "list_methods",
    "refiner_names",
    "settings_class_of",
    "teacher_names",
]

CATALOG: dict[str, str] = {
    "auto": "unblur.methods.auto.entry:AUTO",
    "map": "unblur.methods.classical_map.entry:MAP",
    "known-kernel": "unblur.methods.known_kernel.entry:KNOWN_KERNEL",
    "dublid": "unblur.methods.dublid.entry:DUBLID",
    "golf": "unblur.methods.golf.entry:GOLF",
    "dmphn": "unblur.methods.backbone.entry:DMPHN",
    "maxim": "unblur.methods.backbone.entry:MAXIM",
    "mprnet": "unblur.methods.backbone.entry:MPRNET",
    "nafnet": "unblur.methods.backbone.entry:NAFNET",
    "neurmap": "unblur.methods.neurmap.entry:NEURMAP",
    "selfdeblur": "unblur.methods.selfdeblur.entry:SELFDEBLUR",
    "kernel-space": "unblur.methods.kernel_space.entry:KERNEL_SPACE",
    "input": "unblur.methods.identity.entry:INPUT",
}
"""Where the entry of each method is, `module:name`; these modules import neither NumPy nor torch."""

DEFAULT_METHOD = "auto"
"""What restores a photo where nobody names a method."""

_UNLISTED = {"slow-input": "unblur.methods.identity.entry:SLOW_INPUT"}
"""Methods for tests of interruption, which no list shows."""


def list_entries() -> dict[str, Entry]:
    """The entries of all methods by name."""
    return {name: load_object(place) for name, place in CATALOG.items()}


def list_methods() -> dict[str, str]:
    """Names of all methods with a line about each."""
    return {name: entry.summary for name, entry in list_entries().items()}


def teacher_names() -> tuple[str, ...]:
    """Methods whose answer can guide a fit to one photo, the photo itself (identity), and none."""
    return (*(name for name, entry in list_entries().items() if entry.can_teach), "identity", "none")


def refiner_names() -> tuple[str, ...]:
    """Methods with a learned prior that can improve the answers of others."""
    return tuple(name for name, entry in list_entries().items() if entry.refiner)


def find_entry(name: str) -> Entry:
    """The entry of that name.

    Raises:
        UnknownMethodError: There is none; the message lists the names.
    """
    place = CATALOG.get(name) or _UNLISTED.get(name)
    if place is None:
        raise UnknownMethodError(f"there is no method named {name!r}; choose one of: {', '.join(CATALOG)}")
    return load_object(place)


def settings_class_of(name: str) -> type[Any]:
    """The settings class of a method; torch is not imported for it."""
    return load_object(find_entry(name).settings)
