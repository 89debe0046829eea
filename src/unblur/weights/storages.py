"""Runs of numbers in a file and the tensors that are views of them."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from mmap import mmap
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from unblur.errors import CheckpointError
from unblur.weights.pickles import StorageNote, TensorNote

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["ITEM_BYTES", "Data", "Layout", "as_file", "bytes_of", "make_nested", "make_tensors"]

_DEEPEST = 100

ITEM_BYTES = {
    "float64": 8, "float32": 4, "float16": 2, "bfloat16": 2,
    "int64": 8, "int32": 4, "int16": 2, "int8": 1, "uint8": 1, "bool": 1,
}  # fmt: skip
"""Types of numbers that weights may have, as torch calls them, and the bytes of one."""


def bytes_of(storage: StorageNote) -> int:
    """How long it is in a file."""
    return storage.count * ITEM_BYTES[storage.dtype]


Data = bytes | mmap
"""A file, read or mapped."""


@dataclass(frozen=True)
class Layout:
    """What a file of `torch.save` holds.

    Attributes:
        value: Value that the pickle describes, see `read_pickle`.
        places: Offset of the numbers of each storage in the file, by its key.
    """

    value: Any
    places: Mapping[str, int]


def as_file(data: Data) -> BinaryIO:
    """The same as an open file, at its beginning."""
    if isinstance(data, bytes):
        return io.BytesIO(data)
    data.seek(0)
    return cast("BinaryIO", data)


def make_tensors(notes: Mapping[str, TensorNote], places: Mapping[str, int], data: bytes) -> dict[str, Tensor]:
    """The tensors of the notes; those that share a storage in the file share it in memory.

    Args:
        notes: Descriptions of the tensors, by name.
        places: Offset of each storage by its key; numbers are little-endian.
        data: The whole file.

    Raises:
        CheckpointError: A storage is said to be outside the file.
    """
    maker = _Maker(places, data)
    return {name: maker.make(note) for name, note in notes.items()}


def make_nested(layout: Layout, data: bytes) -> Any:
    """The same lists, tuples and dictionaries with tensors in place of their notes.

    Raises:
        CheckpointError: They lie more than 100 deep in each other.
    """
    return _Maker(layout.places, data).make_nested(layout.value, _DEEPEST)


class _Maker:
    """Makes each storage once, and each list, tuple and dictionary once, however often it is referred to."""

    def __init__(self, places: Mapping[str, int], data: bytes) -> None:
        self._places, self._data = places, memoryview(data)
        self._storages: dict[str, Tensor] = {}
        self._made: dict[int, Any] = {}

    def make(self, note: TensorNote) -> Tensor:
        return self._storage(note.storage).as_strided(note.shape, note.stride, note.offset)

    def make_nested(self, value: Any, depth: int) -> Any:
        if not isinstance(value, TensorNote | dict | list | tuple):
            return value
        if not depth:
            raise CheckpointError(f"holds values that lie more than {_DEEPEST} deep in each other; it is refused")
        if id(value) not in self._made:
            self._made[id(value)] = self._new(value, depth - 1)
        return self._made[id(value)]

    def _new(self, value: Any, depth: int) -> Any:
        if isinstance(value, TensorNote):
            return self.make(value)
        if isinstance(value, dict):
            return {key: self.make_nested(item, depth) for key, item in value.items()}
        return type(value)(self.make_nested(item, depth) for item in value)

    def _storage(self, storage: StorageNote) -> Tensor:
        import torch  # noqa: PLC0415 - torch only where it is needed

        if storage.key not in self._storages:
            dtype = getattr(torch, storage.dtype)
            begin, size = self._places.get(storage.key, -1), bytes_of(storage)
            if not 0 <= begin <= begin + size <= len(self._data):
                raise CheckpointError("is damaged: the numbers of a tensor are missing")
            copy = bytearray(self._data[begin : begin + size])  # frombuffer takes what may be written to, not nothing
            made = torch.frombuffer(copy, dtype=dtype) if copy else torch.empty(0, dtype=dtype)
            self._storages[storage.key] = made
        return self._storages[storage.key]
