"""How the network that weights belong to is recognised: by the names of its tensors."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from unblur.system.text import shorten

if TYPE_CHECKING:
    from torch import Tensor

    from unblur.weights.checkpoint import Checkpoint

__all__ = [
    "Architecture",
    "Shapes",
    "count_names",
    "describe_weights",
    "guess_architecture",
    "name_colours",
    "shapes_of",
]

Shapes = Mapping[str, tuple[int, ...]]
"""The shape of each tensor by its name."""


@dataclass(frozen=True)
class Architecture:
    """A kind of network.

    Attributes:
        name: Its name in the metadata of files (`arch`).
        tensors: Names that its weights have and those of no other network.
        describe: Says what it is, for people, with its size; may fail on other shapes than it expects.
        inner: Beginning of the names of another network within it, which is described in parentheses; empty: none.
    """

    name: str
    tensors: tuple[str, ...]
    describe: Callable[[Shapes], str]
    inner: str = ""


def shapes_of(tensors: Mapping[str, Tensor]) -> Shapes:
    """The shape of each tensor."""
    return {name: tuple(tensor.shape) for name, tensor in tensors.items()}


def guess_architecture(shapes: Shapes, architectures: Iterable[Architecture]) -> Architecture | None:
    """The first architecture whose tensors are all there; None: it is none of them."""
    return next((known for known in architectures if all(name in shapes for name in known.tensors)), None)


def describe_weights(checkpoint: Checkpoint, architectures: Iterable[Architecture] = ()) -> str:
    """What the network is, for people: recognised by its tensors, else as the file calls itself, else unknown."""
    words = _describe(shapes_of(checkpoint.tensors), tuple(architectures))
    return words or shorten(checkpoint.metadata.get("arch", "")) or "of an unknown architecture"


def count_names(shapes: Shapes, pattern: str) -> int:
    """How many different beginnings of names fit a pattern."""
    return len({match[0] for name in shapes if (match := re.match(pattern, name))})


def name_colours(channels: int) -> str:
    """Grey or colour, by the channels of the input."""
    return "grey" if channels == 1 else "colour" if channels == 3 else f"{channels} input channels"


def _describe(shapes: Shapes, architectures: tuple[Architecture, ...]) -> str:
    """Empty where it is none of them."""
    found = guess_architecture(shapes, architectures)
    if found is None:
        return ""
    try:
        words = found.describe(shapes)
    except (LookupError, ValueError):
        return f"named like {found.name}, with tensors of other shapes"
    if not found.inner:
        return words
    inner = {name.removeprefix(found.inner): shape for name, shape in shapes.items() if name.startswith(found.inner)}
    return f"{words} ({_describe(inner, architectures) or 'of an unknown network'})"
