"""Methods made ready to run: their settings checked, their weights chosen and read."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from unblur.errors import CheckpointError
from unblur.methods.catalog import find_entry
from unblur.methods.settings import make_settings
from unblur.system.imports import load_object

if TYPE_CHECKING:
    from unblur.methods.base import Method
    from unblur.weights.checkpoint import Checkpoint

__all__ = ["choose_weights", "load_method"]


def choose_weights(name: str, given: str | os.PathLike[str] | None = None) -> str | None:
    """The weights that a method will have: what was given, else its own, else public ones that were brought.

    None: it takes none. torch is not needed.

    Args:
        name: Name of the method.
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
    from unblur.weights.shipped import find_weights, weights_for  # noqa: PLC0415 - a list or help takes no time for it

    if given is None and not entry.weights:
        for name_of_public in weights_for(name):
            with suppress(CheckpointError):  # not downloaded yet
                return find_weights(name_of_public).name
        public = [f"download public ones (unblur weights get {other})" for other in weights_for(name)[:1]]
        ways = " or ".join([*public, "name a file of them (--weights)"])
        raise CheckpointError(f"the method {name} needs weights, and none ship with this version; {ways}")

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
        weights: Weights of a trained method, in place of its own: a file, a name that `unblur weights list` shows, or
            weights that were read.

    Raises:
        UnknownMethodError: No such method.
        SettingsError: A setting that it does not have, or a value that it cannot take.
        CheckpointError: Weights that cannot be used, or for a method that takes none.
    """
    entry = find_entry(name)
    chosen = make_settings(load_object(entry.settings), settings or {})
    checkpoint = _checkpoint_for(name, weights)
    if checkpoint is None:
        return load_object(entry.method)(chosen)
    try:
        return load_object(entry.method)(chosen, checkpoint)
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
