"""The records at the end of a zip archive, which say where the list of its members is."""

from __future__ import annotations

import struct
from typing import NamedTuple

from unblur.errors import CheckpointError
from unblur.weights.storages import Data

__all__ = ["Directory", "find_directory"]

_END = struct.Struct("<4sHHHHLLH")
_LOCATOR = struct.Struct("<4sLQL")
_END_64 = struct.Struct("<4sQHHLLQQQQ")
_SIGN, _LOCATOR_SIGN, _SIGN_64 = b"PK\x05\x06", b"PK\x06\x07", b"PK\x06\x06"
_ELSEWHERE = (0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF)
"""Stand in the short record where the number is in the long one."""
_MOST_MEMBERS = 20_000
_LARGEST_DIRECTORY = 16 * 2**20


class Directory(NamedTuple):
    """The list of members.

    Attributes:
        members: Number of members.
        size: Length of the list in bytes.
        place: Offset of its first byte in the file.
    """

    members: int
    size: int
    place: int


def find_directory(data: Data) -> Directory:
    """The one list of members that every reader must find.

    The file must end with the record without a comment, before it the 64-bit records if there are any, before them the
    list. So there are no two records to choose between, and no bytes that belong to nothing.

    Raises:
        CheckpointError: The records are missing, contradict each other, or the list is longer than weights need.
    """
    place = len(data) - _END.size
    # a second record that begins within this one would be found first by readers that look from the end
    if place < 0 or data[place : place + 4] != _SIGN or data.find(_SIGN, place + 1) >= 0:
        raise CheckpointError("is damaged: it begins as a zip archive, but does not end as one")
    _, disk, first_disk, here, *numbers, comment = _END.unpack_from(data, place)
    directory = Directory(*numbers)
    if data[place - _LOCATOR.size : place].startswith(_LOCATOR_SIGN):
        place -= _LOCATOR.size + _END_64.size
        directory = _read_64(data, place, directory)
    elif here != directory.members:
        raise _contradiction()
    if disk or first_disk or comment or directory.place + directory.size != place:
        raise _contradiction()
    if directory.members > _MOST_MEMBERS or directory.size > _LARGEST_DIRECTORY:
        raise CheckpointError(f"has more than {_MOST_MEMBERS:,} members, too many for weights")
    return directory


def _read_64(data: Data, place: int, short: Directory) -> Directory:
    """The long record, which must lie here and say what the short one says."""
    if place < 0:
        raise _contradiction()
    sign, length, _, _, disk, first_disk, here, *numbers = _END_64.unpack_from(data, place)
    _, locator_disk, stated_place, disks = _LOCATOR.unpack_from(data, place + _END_64.size)
    directory = Directory(*numbers)
    agree = all(a in (b, other) for a, b, other in zip(short, directory, _ELSEWHERE, strict=True))
    whole = sign == _SIGN_64 and length == _END_64.size - 12 and stated_place == place
    if not (agree and whole and here == directory.members) or disk or first_disk or locator_disk or disks > 1:
        raise _contradiction()
    return directory


def _contradiction() -> CheckpointError:
    return CheckpointError("is a zip archive whose records contradict each other; it is refused")
