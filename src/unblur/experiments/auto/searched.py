"""Kernels that were searched before, without their photos: these are made again from their seeds, in a moment.

Searching takes most of the time that a sample takes, so what one run has searched is worth keeping for the next.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from unblur.errors import DataError
from unblur.methods.kernel_search.search import Origin
from unblur.methods.options import BlurEncoding
from unblur.system.atomic import atomic_write

__all__ = ["Searched", "checksum_of", "pack_kernels", "read_searched", "unpack_kernels", "write_searched"]

_LEVELS = 65535.0


@dataclass(frozen=True)
class Searched:
    """What a search found on one photo.

    Attributes:
        photo: Checksum of the photo, see `checksum_of`.
        kernels: Sum 1 each, in boxes of one odd size.
        encodings: Where each blurs.
        origins: How each was found.
    """

    photo: int
    kernels: Float[Tensor, "n 1 k k"]
    encodings: tuple[BlurEncoding, ...]
    origins: tuple[Origin, ...]


def checksum_of(photo: np.ndarray[Any, Any]) -> int:
    """Tells whether a photo is the one that was searched; of its bytes."""
    return zlib.crc32(np.ascontiguousarray(photo).tobytes())


def pack_kernels(kernels: Float[Tensor, "n 1 k k"]) -> np.ndarray[Any, Any]:
    """Kernels as integers of two bytes; the largest value of each is the largest integer."""
    largest = kernels.amax((-2, -1), keepdim=True).clamp_min(1e-12)
    return (kernels / largest * _LEVELS).round().numpy().astype(np.uint16)


def unpack_kernels(packed: np.ndarray[Any, Any]) -> Float[Tensor, "n 1 k k"]:
    """The kernels again, to five digits."""
    kernels = torch.from_numpy(packed.astype(np.float32))
    return kernels / kernels.sum((-2, -1), keepdim=True).clamp_min(1e-12)


def write_searched(path: Path, samples: Iterable[tuple[str, Searched]]) -> None:
    """All samples by name in one file; replaces an older one."""
    arrays: dict[str, Any] = {}
    for name, one in samples:
        facts = json.dumps({"photo": one.photo, "encodings": one.encodings, "origins": one.origins})
        arrays[f"{name}/kernels"] = pack_kernels(one.kernels)
        arrays[f"{name}/facts"] = np.frombuffer(facts.encode(), np.uint8)
    file = BytesIO()
    np.savez_compressed(file, **arrays)
    atomic_write(path, file.getvalue(), overwrite=True)


def read_searched(path: Path) -> Mapping[str, Searched]:
    """The samples of a file by name.

    Raises:
        DataError: Not such a file.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            names = [name.removesuffix("/facts") for name in stored.files if name.endswith("/facts")]
            return {name: _sample(stored[f"{name}/facts"], stored[f"{name}/kernels"]) for name in names}
    except (OSError, EOFError, ValueError, KeyError, BadZipFile) as error:
        raise DataError(f"expected kernels that were searched before, a searched.npz, at {str(path)!r}") from error


def _sample(facts: np.ndarray[Any, Any], kernels: np.ndarray[Any, Any]) -> Searched:
    said = json.loads(facts.tobytes())
    return Searched(said["photo"], unpack_kernels(kernels), tuple(said["encodings"]), tuple(said["origins"]))
