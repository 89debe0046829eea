"""Weights from a file: read as data, unwrapped, and checked, whatever program wrote it."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from unblur.errors import CheckpointError
from unblur.weights.checking import check_tensors
from unblur.weights.foreign import name_foreign
from unblur.weights.legacy_file import LEGACY_BEGIN, read_legacy
from unblur.weights.safe_file import read_safe
from unblur.weights.unwrapping import unwrap
from unblur.weights.zip_file import read_zip

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Checkpoint", "read_bytes", "read_checkpoint"]

_LARGEST_FILE = 4 * 2**30
_MOST_SHARING = 4
"""Tensors may share numbers, but a small file must not become large ones."""


@dataclass(frozen=True)
class Checkpoint:
    """Weights of a network.

    Attributes:
        name: Of the file, or of weights that ship with unblur.
        tensors: By name, on the processor, every number finite.
        metadata: What a safetensors file says of itself.
        sha256: Of the file's bytes.
    """

    name: str
    tensors: Mapping[str, Tensor]
    metadata: Mapping[str, str] = field(default_factory=dict[str, str])
    sha256: str = ""


def read_checkpoint(path: str | os.PathLike[str]) -> Checkpoint:
    """Read weights; nothing in the file is ever run.

    Args:
        path: A .safetensors file, or one that `torch.save` wrote, by whatever name.

    Raises:
        CheckpointError: The file is missing, damaged, something else, or holds more than plain weights need.
    """
    data = read_bytes(path)
    tensors, metadata = _read_any(data)
    check_tensors(tensors)
    if sum(tensor.nbytes for tensor in tensors.values()) > _MOST_SHARING * len(data):
        raise CheckpointError("describes far more numbers than it holds; it is refused")
    return Checkpoint(Path(path).name, tensors, metadata, sha256(data).hexdigest())


def read_bytes(path: str | os.PathLike[str]) -> bytes:
    """The bytes of a regular file of at most 4 GB.

    Raises:
        CheckpointError: There is no such file, or it cannot be read.
    """
    try:
        # without waiting for somebody to write into a pipe
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            facts = os.fstat(file.fileno())
            if not stat.S_ISREG(facts.st_mode):
                raise CheckpointError("is a device or pipe, not a file of weights")
            if facts.st_size > _LARGEST_FILE:
                raise CheckpointError("is larger than 4 GB, too large for weights")
            return file.read()
    except IsADirectoryError:
        raise CheckpointError("is a folder, not a file of weights") from None
    except FileNotFoundError:
        raise CheckpointError("does not exist") from None
    except (OSError, ValueError) as error:
        raise CheckpointError(f"cannot be read: {getattr(error, 'strerror', None) or error}".lower()) from error


def _read_any(data: bytes) -> tuple[Mapping[str, Tensor], Mapping[str, str]]:
    if not data:
        raise CheckpointError("is empty")
    if data.startswith(b"PK\x03\x04"):
        from torch import Tensor  # noqa: PLC0415 - torch only where it is needed

        return unwrap(read_zip(data), Tensor), {}
    if data.startswith(LEGACY_BEGIN):
        return read_legacy(data), {}
    if data[8:9] == b"{":
        return read_safe(data)
    raise CheckpointError(
        name_foreign(data[:512])
        or "is neither a .safetensors file nor one that torch.save wrote, or its begin is damaged"
    )
