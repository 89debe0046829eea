"""What `torch.save` wrote before PyTorch 1.6: pickles in a row, then the numbers of each storage.

torch's own reader of plain weights refuses files from Python 2 among them, so these are read here.
"""

from __future__ import annotations

import struct

from unblur.errors import CheckpointError
from unblur.weights.pickles import StorageNote, read_pickle
from unblur.weights.storages import Data, Layout, as_file, bytes_of

__all__ = ["LEGACY_BEGIN", "find_legacy"]

LEGACY_BEGIN = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
"""A pickle of torch's magic number, 0x1950a86a20f9469cfc6c."""

_PROTOCOL = 1001


def find_legacy(data: Data) -> Layout:
    """What the file describes, and where the numbers are.

    Args:
        data: The whole file.

    Raises:
        CheckpointError: Damaged, or with more in it than plain weights need.
    """
    file = as_file(data)
    file.seek(len(LEGACY_BEGIN))
    _check_head(read_pickle(file).value, read_pickle(file).value)
    contents = read_pickle(file)
    keys = read_pickle(file).value
    if (
        not isinstance(keys, list)
        or any(type(key) is not str for key in keys)
        or len(keys) != len(contents.storages)
        or set(keys) != set(contents.storages)
    ):
        raise CheckpointError("is damaged: its list of stored numbers does not fit its description")
    return Layout(contents.value, _find_numbers(data, file.tell(), [contents.storages[key] for key in keys]))


def _check_head(protocol: object, system: object) -> None:
    if protocol != _PROTOCOL or not isinstance(system, dict):
        raise CheckpointError("is damaged, or was saved by a version of torch that is not known here")
    if system.get("little_endian") is not True:
        raise CheckpointError("holds numbers in an order of bytes other than little-endian")


def _find_numbers(data: Data, place: int, storages: list[StorageNote]) -> dict[str, int]:
    """Where the bytes of each storage begin; each has its count of numbers in front."""
    found: dict[str, int] = {}
    for storage in storages:
        begin, end = place + 8, place + 8 + bytes_of(storage)
        if end > len(data):
            raise CheckpointError("is cut short: the numbers of some tensors are missing")
        if struct.unpack_from("<q", data, place) != (storage.count,):
            raise CheckpointError("is damaged: a stored tensor has another length than its description")
        found[storage.key] = begin
        place = end
    if place != len(data):
        raise CheckpointError("has something hidden behind its tensors; it is refused")
    return found
