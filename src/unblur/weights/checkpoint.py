"""Weights from a file, or from a folder of part files: read as data, unwrapped and checked, whoever wrote it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from unblur.errors import CheckpointError
from unblur.weights.checking import check_tensors
from unblur.weights.description import Description, describe
from unblur.weights.files import open_file
from unblur.weights.parts import checksum_of_parts, part_files, part_names
from unblur.weights.safe_file import load_safe
from unblur.weights.storages import make_tensors

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Checkpoint", "join_parts", "read_checkpoint"]

_MOST_SHARING = 4
"""Tensors may share numbers, but a small file must not become large ones."""


@dataclass(frozen=True)
class Checkpoint:
    """Weights of a network.

    Attributes:
        name: Name of the file, or of listed weights.
        tensors: Tensors by name, on the CPU, every number finite.
        metadata: Metadata of a safetensors file.
        sha256: SHA-256 of the file's bytes; of several files see `checksum_of_parts`.
    """

    name: str
    tensors: Mapping[str, Tensor]
    metadata: Mapping[str, str] = field(default_factory=dict[str, str])
    sha256: str = ""


def read_checkpoint(path: str | os.PathLike[str], *, name: str = "") -> Checkpoint:
    """Read weights; nothing in the file is ever run.

    Args:
        path: A .safetensors file, or one that `torch.save` wrote, whatever its ending. Or a folder of such files: one
            with the whole network, or one for each part, as the authors of DMPHN release theirs.
        name: Name for messages; empty: the file's name.

    Raises:
        CheckpointError: The file is missing, damaged, something else, or holds more than plain weights need.
    """
    if os.path.isdir(path):  # noqa: PTH112 - takes whatever a path may be
        return _read_folder(path, name or Path(path).name)
    return _read_file(path, name or Path(path).name)


def join_parts(parts: Sequence[Checkpoint]) -> Mapping[str, Tensor]:
    """The tensors of all parts, named after their files: `encoder_lv1.layer1.weight`; of a single part as they are.

    Raises:
        CheckpointError: Two parts of one name.
    """
    if len(parts) == 1:
        return parts[0].tensors
    names = part_names([part.name for part in parts])
    return {
        f"{name}.{key}": tensor for name, part in zip(names, parts, strict=True) for key, tensor in part.tensors.items()
    }


def _read_folder(folder: str | os.PathLike[str], name: str) -> Checkpoint:
    parts: list[Checkpoint] = []
    for file in part_files(folder):
        try:
            parts.append(_read_file(file, file.name))
        except CheckpointError as error:
            raise CheckpointError(f"its part {file.name} {error}") from error
    metadata = parts[0].metadata if len(parts) == 1 else {}
    return Checkpoint(name, join_parts(parts), metadata, checksum_of_parts([part.sha256 for part in parts]))


def _read_file(path: str | os.PathLike[str], name: str) -> Checkpoint:
    with open_file(path) as file:
        data = file.read()
        if not data:
            raise CheckpointError("is empty")
        description = describe(file.fileno(), len(data))
    tensors = _make(description, data)
    if sum(tensor.nbytes for tensor in tensors.values()) > _MOST_SHARING * len(data):
        raise CheckpointError("describes far more numbers than it holds; it is refused")
    check_tensors(tensors)
    return Checkpoint(name, tensors, description.metadata, sha256(data).hexdigest())


def _make(description: Description, data: bytes) -> Mapping[str, Tensor]:
    if description.notes:
        return make_tensors(description.notes, description.places, data)
    loaded = load_safe(data)
    return {name: loaded[name] for name in description.names}
