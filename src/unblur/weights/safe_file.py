"""Safetensors files: their header checked before anything is taken from it, and files of ours written."""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Mapping
from math import prod
from typing import TYPE_CHECKING, Any, NamedTuple

from unblur.errors import CheckpointError
from unblur.system.atomic import atomic_write
from unblur.system.text import quote
from unblur.weights.checking import check_tensors
from unblur.weights.limits import LARGEST_LENGTH, LONGEST_NAME, MOST_DIMENSIONS, MOST_TENSORS
from unblur.weights.storages import ITEM_BYTES, Data

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["check_safe", "load_safe", "write_checkpoint"]

_LARGEST_HEADER = 2 * 2**20
"""Room for 20,000 tensors."""
_MOST_METADATA = 1_000
_LONGEST_METADATA = 100_000
"""Characters of one entry."""

_TYPES = {
    "F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16",
    "I64": "int64", "I32": "int32", "I16": "int16", "I8": "int8", "U8": "uint8", "BOOL": "bool",
}  # fmt: skip


def check_safe(data: Data) -> tuple[list[str], dict[str, str]]:
    """The names of the tensors in order, and the metadata.

    Args:
        data: The whole file.

    Raises:
        CheckpointError: A header that is damaged or does not fit the file.
    """
    header, size = _read_header(data)
    metadata = header.pop("__metadata__", {})
    _check_metadata(metadata)
    _check_places(header, len(data) - size)
    return list(header), metadata


def load_safe(data: bytes) -> dict[str, Tensor]:
    """The tensors of a file whose header was checked.

    Raises:
        CheckpointError: The library refuses it.
    """
    from safetensors import SafetensorError  # noqa: PLC0415 - torch only where it is needed
    from safetensors.torch import load  # noqa: PLC0415

    try:
        return load(data)
    except SafetensorError:
        raise CheckpointError("is damaged: its header breaks the rules of safetensors files") from None


def write_checkpoint(
    path: str | os.PathLike[str], tensors: Mapping[str, Tensor], metadata: Mapping[str, str], *, overwrite: bool = False
) -> None:
    """Write a safetensors file; the same tensors and metadata give the same bytes.

    Args:
        path: Name of the file; its folder must exist.
        tensors: Tensors by name, on any device.
        metadata: `format_version`, `method`, `arch`, `arch_config`, `trained_on`, `licence`, `metrics`, `commit`: what
            applies, as text.
        overwrite: Replace a file of that name.

    Raises:
        CheckpointError: There are no tensors, or they are not finite.
        WriteError: The name is taken, or what was written cannot be read back.
        OutputError: The folder cannot be written to.
    """
    from safetensors.torch import save  # noqa: PLC0415 - torch only where it is needed

    # Tied tensors are written out each by itself: safetensors has no views.
    plain = {name: tensor.detach().cpu().clone().contiguous() for name, tensor in tensors.items()}
    check_tensors(plain)
    data = _with_sorted_header(save(plain, dict(metadata)))
    check_safe(data)
    atomic_write(path, data, overwrite=overwrite, read_back=True)


def _read_header(data: Data) -> tuple[dict[str, Any], int]:
    """The header and its length in bytes with the count in front."""
    length = int.from_bytes(data[:8], "little")
    if length > _LARGEST_HEADER:
        raise CheckpointError(f"has a header of {length:,} bytes, far more than weights need; it is refused")
    if 8 + length > len(data):
        raise CheckpointError("is cut short within its header")
    try:
        header = json.loads(data[8 : 8 + length], object_pairs_hook=_without_repeats)
    except (ValueError, RecursionError):
        raise CheckpointError("is damaged: its header cannot be read") from None
    if not isinstance(header, dict):
        raise CheckpointError("is damaged: its header is no list of tensors")
    return header, 8 + length


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) < len(pairs):
        raise ValueError
    return dict(pairs)


def _check_metadata(metadata: Any) -> None:
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise CheckpointError("is damaged: the metadata of its header are no texts")
    if len(metadata) > _MOST_METADATA:
        raise CheckpointError(f"has more than {_MOST_METADATA} entries of metadata; it is refused")
    for name, text in metadata.items():
        if len(name) > LONGEST_NAME or len(text) > _LONGEST_METADATA:
            raise CheckpointError(f"has metadata {quote(name)} that are far longer than weights need; it is refused")


class _Place(NamedTuple):
    """Where the numbers of a tensor are, in bytes behind the header."""

    begin: int
    end: int


def _check_places(header: Mapping[str, Any], room: int) -> None:
    """Tensors lie one behind the other without gaps and fill the rest of the file."""
    if len(header) > MOST_TENSORS:
        raise CheckpointError(f"has more than {MOST_TENSORS:,} tensors, too many for weights")
    try:
        places = sorted(_read_entry(name, entry) for name, entry in header.items())
    except (ValueError, TypeError, KeyError):
        raise CheckpointError("is damaged: its header does not say where each tensor is") from None
    end = 0
    for place in places:
        if place.begin != end:
            raise CheckpointError("is damaged: its header does not say where each tensor is")
        end = place.end
    if end > room:
        raise CheckpointError("is cut short: the numbers of some tensors are missing")
    if end < room:
        raise CheckpointError("has something hidden behind its tensors; it is refused")


def _read_entry(name: str, entry: Any) -> _Place:
    """The place of a tensor, which must have the length that its shape needs."""
    begin, end = map(_length, entry["data_offsets"])
    shape, dtype = entry["shape"], _TYPES.get(entry["dtype"])
    if len(name) > LONGEST_NAME:
        raise CheckpointError(f"has a tensor {quote(name)} whose name is far too long; it is refused")
    if dtype is None:
        raise CheckpointError(
            f"holds {quote(name)} as numbers of type {quote(entry['dtype'])}, which are not read here"
        )
    if len(shape) > MOST_DIMENSIONS or end - begin != prod(map(_length, shape)) * ITEM_BYTES[dtype]:
        raise ValueError
    return _Place(begin, end)


def _length(value: Any) -> int:
    if type(value) is not int or not 0 <= value < LARGEST_LENGTH:
        raise ValueError
    return value


def _with_sorted_header(data: bytes) -> bytes:
    """The same file with the metadata in order: the library writes them as they come out of its hash table."""
    header, size = _read_header(data)
    metadata = header.pop("__metadata__", {})
    ordered = {"__metadata__": dict(sorted(metadata.items())), **header}
    text = json.dumps(ordered, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + data[size:]
