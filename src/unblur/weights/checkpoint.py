"""Weights from a file: read as data, unwrapped, and checked, whatever program wrote it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from unblur.errors import CheckpointError
from unblur.weights.checking import check_tensors
from unblur.weights.description import Description, describe
from unblur.weights.files import open_file
from unblur.weights.safe_file import load_safe
from unblur.weights.storages import make_tensors

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Checkpoint", "read_checkpoint"]

_MOST_SHARING = 4
"""Tensors may share numbers, but a small file must not become large ones."""


@dataclass(frozen=True)
class Checkpoint:
    """Weights of a network.

    Attributes:
        name: Name of the file, or of listed weights.
        tensors: Tensors by name, on the CPU, every number finite.
        metadata: Metadata of a safetensors file.
        sha256: SHA-256 of the file's bytes.
    """

    name: str
    tensors: Mapping[str, Tensor]
    metadata: Mapping[str, str] = field(default_factory=dict[str, str])
    sha256: str = ""


def read_checkpoint(path: str | os.PathLike[str], *, name: str = "") -> Checkpoint:
    """Read weights; nothing in the file is ever run.

    Args:
        path: A .safetensors file, or one that `torch.save` wrote, whatever its ending.
        name: Name for messages; empty: the file's name.

    Raises:
        CheckpointError: The file is missing, damaged, something else, or holds more than plain weights need.
    """
    with open_file(path) as file:
        data = file.read()
        if not data:
            raise CheckpointError("is empty")
        description = describe(file.fileno(), len(data))
    tensors = _make(description, data)
    if sum(tensor.nbytes for tensor in tensors.values()) > _MOST_SHARING * len(data):
        raise CheckpointError("describes far more numbers than it holds; it is refused")
    check_tensors(tensors)
    return Checkpoint(name or Path(path).name, tensors, description.metadata, sha256(data).hexdigest())


def _make(description: Description, data: bytes) -> Mapping[str, Tensor]:
    if description.notes:
        return make_tensors(description.notes, description.places, data)
    loaded = load_safe(data)
    return {name: loaded[name] for name in description.names}
