"""Runs of numbers in a file and the tensors that are views of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from unblur.weights.pickles import StorageNote, TensorNote

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["ITEM_BYTES", "bytes_of", "make_tensors"]

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
    import torch  # noqa: PLC0415 - torch only where it is needed

    storages: dict[str, Tensor] = {}
    for storage in {note.storage for note in notes.values()}:
        dtype = getattr(torch, storage.dtype)
        copy = bytearray(numbers[storage.key])  # frombuffer takes what may be written to, and nothing empty
        storages[storage.key] = torch.frombuffer(copy, dtype=dtype) if copy else torch.empty(0, dtype=dtype)
    return {
        name: storages[note.storage.key].as_strided(note.shape, note.stride, note.offset)
        for name, note in notes.items()
    }
