"""What a file of weights says of the network that it belongs to: `arch_config`, a JSON object among its metadata."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from unblur.errors import CheckpointError
from unblur.system.text import quote
from unblur.weights.checkpoint import Checkpoint

__all__ = ["read_config"]

_KINDS = {bool: "true or false", int: "a whole number", str: "a text"}


def read_config(checkpoint: Checkpoint, defaults: Mapping[str, bool | int | str]) -> dict[str, Any]:
    """The entries of `arch_config`, each of the kind that it should have.

    Args:
        checkpoint: Files of other programs, which have no `arch_config`, get the defaults.
        defaults: Every entry that the network knows, with its value where the file does not give it.

    Raises:
        CheckpointError: It is no JSON object, or has an entry that is unknown or of another kind.
    """
    stated = _parse(checkpoint.metadata.get("arch_config", "{}"))
    for name, value in stated.items():
        if name not in defaults:
            raise CheckpointError(f"{_BEGIN}, with an entry {quote(name)} in its arch_config that is not known here")
        kind = type(defaults[name])
        if type(value) is not kind:
            raise CheckpointError(f"{_BEGIN}: {quote(name)} in its arch_config must be {_KINDS[kind]}")
    return {**defaults, **stated}


_BEGIN = "describes its network in another way than this version reads"


def _parse(text: str) -> dict[str, Any]:
    try:
        stated = json.loads(text)
    except (ValueError, RecursionError):
        raise CheckpointError("does not say what network it belongs to: its arch_config cannot be read") from None
    if not isinstance(stated, dict):
        raise CheckpointError("does not say what network it belongs to: its arch_config is no JSON object")
    return stated
