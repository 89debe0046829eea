"""The list of methods. Nothing of a method is imported before it is used."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from unblur.errors import CheckpointError, UnknownMethodError
from unblur.methods.settings import make_settings

if TYPE_CHECKING:
    from unblur.methods.base import Method
    from unblur.weights.checkpoint import Checkpoint

__all__ = ["CATALOG", "Entry", "choose_weights", "find_entry", "list_methods", "load_method", "settings_class_of"]


@dataclass(frozen=True)
class Entry:
    """One method as a list shows it.

    Attributes:
        summary: One line for people.
        settings: Where its settings class is, `module:name`; that module must not import torch.
        method: Where its class is, `module:name`; called with the settings, and the `Checkpoint` if it takes weights.
        needs_torch: False: it works on stored pixels (`restore_picture`) and torch is never imported.
        finds: The blur that it returns: `nothing`, `kernel` or `motion field`.
        state: Honest state in a few words.
        takes_weights: It is a trained method.
        weights: Name of the shipped weights that it has where the user names none; empty: there are none.
    """

    summary: str
    settings: str
    method: str
    needs_torch: bool = True
    finds: str = "nothing"
    state: str = "works"
    takes_weights: bool = False
    weights: str = ""


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
    "dublid": Entry(
        summary="unrolled network: finds one kernel for the photo in a fraction of a second",
        settings="unblur.methods.dublid.settings:DublidSettings",
        method="unblur.methods.dublid.method:Dublid",
        finds="kernel",
        takes_weights=True,
        weights="dublid-motion",
    ),
    "golf": Entry(
        summary="two small networks for blur that differs from place to place: one first shot, then three putts",
        settings="unblur.methods.golf.settings:GolfSettings",
        method="unblur.methods.golf.method:Golf",
        takes_weights=True,
        weights="golf",
    ),
    "dmphn": Entry(
        summary="network for blur that differs from place to place: a hierarchy of patches",
        settings="unblur.methods.backbone.settings:DmphnSettings",
        method="unblur.methods.backbone.method:Dmphn",
        takes_weights=True,
    ),
    "mprnet": Entry(
        summary="network for blur that differs from place to place: three stages; slow",
        settings="unblur.methods.backbone.settings:MprnetSettings",
        method="unblur.methods.backbone.method:Mprnet",
        takes_weights=True,
    ),
    "nafnet": Entry(
        summary="network for blur that differs from place to place: one U without activation functions",
        settings="unblur.methods.backbone.settings:NafnetSettings",
        method="unblur.methods.backbone.method:Nafnet",
        takes_weights=True,
    ),
    "neurmap": Entry(
        summary="network trained on photos without partners, for blur that differs from place to place; finds motion",
        settings="unblur.methods.neurmap.settings:NeurmapSettings",
        method="unblur.methods.neurmap.method:NeurmapMethod",
        finds="motion field",
        takes_weights=True,
        weights="neurmap",
    ),
    "selfdeblur": Entry(
        summary="two untrained networks fitted to the one photo: image and kernel; minutes a photo on a processor",
        settings="unblur.methods.selfdeblur.settings:SelfDeblurSettings",
        method="unblur.methods.selfdeblur.method:SelfDeblur",
        finds="kernel",
    ),
    "kernel-space": Entry(
        summary="two untrained networks fitted to the one photo, image and code of the blur, under a trained blur",
        settings="unblur.methods.kernel_space.settings:KernelSpaceSettings",
        method="unblur.methods.kernel_space.method:KernelSpaceMethod",
        takes_weights=True,
        state="works, but its weights have learned little",
        weights="kernel-space",
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


def choose_weights(name: str, given: str | os.PathLike[str] | None = None) -> str | None:
    """The weights that a method will have: what was given, else its own; None: it takes none. torch is not needed.

    Args:
        name: Of the method.
        given: A file, or a name that `unblur weights list` shows.

    Raises:
        UnknownMethodError: No such method.
        CheckpointError: It takes none, needs some, or there are none of that name.
    """
    entry = find_entry(name)
    if not entry.takes_weights and given is not None:
        raise CheckpointError(f"the method {name} takes no weights; leave them out")
    if not entry.takes_weights:
        return None
    if given is None and not entry.weights:
        raise CheckpointError(f"the method {name} needs weights, and none ship with this version; name a file of them")
    from unblur.weights.shipped import find_weights  # noqa: PLC0415 - a list or help takes no time for it

    return find_weights(given or entry.weights).name


def load_method(
    name: str,
    settings: Mapping[str, Any] | None = None,
    weights: str | os.PathLike[str] | Checkpoint | None = None,
) -> Method:
    """A method, ready to run.

    Args:
        name: A name of `list_methods()`.
        settings: The method's own settings by name; what is not named keeps its default.
        weights: For trained methods, in place of their own: a file, a name that `unblur weights list` shows, or weights
            that were read.

    Raises:
        UnknownMethodError: No such method.
        SettingsError: A setting that it does not have, or a value that it cannot take.
        CheckpointError: Weights that cannot be used, or for a method that takes none.
    """
    entry = find_entry(name)
    chosen = make_settings(_find(entry.settings), settings or {})
    checkpoint = _checkpoint_for(name, weights)
    if checkpoint is None:
        return _find(entry.method)(chosen)
    try:
        return _find(entry.method)(chosen, checkpoint)
    except CheckpointError as error:
        raise CheckpointError(f"the weights {checkpoint.name}: {error}") from error


def _checkpoint_for(name: str, weights: str | os.PathLike[str] | Checkpoint | None) -> Checkpoint | None:
    if weights is None or isinstance(weights, str | os.PathLike):
        place = choose_weights(name, weights)
        if place is None:
            return None
        from unblur.weights.shipped import read_weights  # noqa: PLC0415 - as above

        return read_weights(place)
    if not find_entry(name).takes_weights:
        raise CheckpointError(f"the method {name} takes no weights; leave them out")
    return weights


def settings_class_of(name: str) -> type[Any]:
    """The settings class of a method; torch is not imported for it."""
    return _find(find_entry(name).settings)


def _find(place: str) -> Any:
    module, name = place.split(":")
    return getattr(import_module(module), name)
