"""Runs of numbers in a file and the tensors that are views of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from unblur.errors import CheckpointError
from unblur.weights.pickles import StorageNote, TensorNote

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["ITEM_BYTES", "bytes_of", "make_nested", "make_tensors"]

_DEEPEST = 100

ITEM_BYTES = {
    "float64": 8, "float32": 4, "float16": 2, "bfloat16": 2,
    "int64": 8, "int32": 4, "int16": 2, "int8": 1, "uint8": 1, "bool": 1,
}  # fmt: skip
"""Types of numbers that weights may have, as torch calls them, and the bytes of one."""


def bytes_of(storage: StorageNote) -> int:
    """How long it is in a file."""
    return storage.count * ITEM_BYTES[storage.dtype]


def make_tensors(notes: Mapping[str, TensorNote], numbers: Mapping[str, memoryview]) -> dict[str, Tensor]:
    """The tensors of the notes; those that share a storage in the file share it in memory.

    Args:
        notes: By the tensor's name.
        numbers: Each storage by its key, `bytes_of` long, little-endian.
    """
    maker = _Maker(numbers)
    return {name: maker.make(note) for name, note in notes.items()}


def make_nested(value: Any, numbers: Mapping[str, memoryview]) -> Any:
    """The same lists, tuples and dictionaries with tensors in place of their notes.

    Args:
        value: As `read_pickle` returns it.
        numbers: As in `make_tensors`.

    Raises:
        CheckpointError: They lie more than 100 deep in each other.
    """
    return _Maker(numbers).make_nested(value, _DEEPEST)


class _Maker:
    """Makes each storage once, and each list, tuple and dictionary once, however often it is referred to."""

    def __init__(self, numbers: Mapping[str, memoryview]) -> None:
        self._numbers = numbers
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
            copy = bytearray(self._numbers[storage.key])  # frombuffer takes what may be written to, and nothing empty
            made = torch.frombuffer(copy, dtype=dtype) if copy else torch.empty(0, dtype=dtype)
            self._storages[storage.key] = made
        return self._storages[storage.key]
