"""The zip archives that `torch.save` writes, read as data.

Archives whose records disagree are refused: a reader that believes the other record would see other contents.
torch's own reader of plain weights is not used: it has no limits (a few hundred kilobytes keep it busy for minutes).
"""

from __future__ import annotations

import io
import re
import struct
import zlib
from typing import Any
from zipfile import ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from unblur.errors import CheckpointError
from unblur.system.text import quote
from unblur.weights.pickles import read_pickle
from unblur.weights.storages import Data, Layout, as_file, bytes_of, make_nested
from unblur.weights.zip_end import find_directory

__all__ = ["ZIP_BEGIN", "find_zip", "read_zip"]

ZIP_BEGIN = b"PK\x03\x04"

_LARGEST_PICKLE = 16 * 2**20
_ENCRYPTED, _UTF8 = 0x1, 0x800
_LOCAL = struct.Struct("<4sHHHHHLLLHH")
_MEMBER = re.compile(
    r"(?P<folder>[^/]+)/(data\.pkl|data/\d+|version|byteorder|\.format_version|\.storage_alignment|"
    r"\.data/serialization_id)"
)
_FOREIGN = {
    r".*/(constants\.pkl|code/.*)": "is a TorchScript program",
    r".*(/archive_format|/archive_version|/models/.*|exported_program\.json)": "is an exported program (.pt2)",
    r".*\.npy": "is a NumPy archive (.npz)",
}
_DAMAGED = "is damaged: it begins as a zip archive, but cannot be read as one"

_Place = tuple[int, int]
"""First byte of a member, and their number."""


def find_zip(data: Data) -> Layout:
    """What the archive describes, and where the numbers are.

    Args:
        data: The whole file.

    Raises:
        CheckpointError: Not an archive of plain weights: compressed, damaged, with members or instructions that
            weights do not need.
    """
    members, folder = _find_members(data)
    begin, length = members.get(f"{folder}/data.pkl", (0, 0))
    if not 0 < length <= _LARGEST_PICKLE:
        raise CheckpointError("has no description of its tensors (data.pkl) of at most 16 MB")
    order = members.get(f"{folder}/byteorder")
    if order and data[order[0] : sum(order)] != b"little":
        raise CheckpointError("holds numbers in an order of bytes other than little-endian")
    description = io.BytesIO(data[begin : begin + length])
    contents = read_pickle(description)
    if description.read(1):
        raise CheckpointError("has something hidden behind the description of its tensors; it is refused")
    places: dict[str, int] = {}
    for storage in contents.storages.values():
        found = members.get(f"{folder}/data/{storage.key}")
        if found is None or found[1] != bytes_of(storage):
            raise CheckpointError("is damaged: the numbers of a tensor are missing or of another amount")
        places[storage.key] = found[0]
    return Layout(contents.value, places)


def read_zip(data: bytes) -> Any:
    """What was saved, whatever its structure, with tensors on the processor; dictionaries come back unordered.

    For the states of our own runs. They are read in this process, because lists within dictionaries within lists do not
    travel from another; the limits of the pickle reader are the same.

    Raises:
        CheckpointError: As `find_zip`.
    """
    return make_nested(find_zip(data), data)


def _find_members(data: Data) -> tuple[dict[str, _Place], str]:
    """The bytes of each member, their checksums right, and the folder that all are in."""
    directory = find_directory(data)
    try:
        with ZipFile(as_file(data)) as archive:
            listed = archive.infolist()
    except (BadZipFile, ValueError, LookupError, EOFError, OSError, NotImplementedError, OverflowError, struct.error):
        raise CheckpointError(_DAMAGED) from None
    folder = _check_names([member.filename for member in listed])
    for member in listed:
        _check_member(member)
    if len(listed) != directory.members or sum(member.file_size for member in listed) > directory.place:
        raise CheckpointError("is damaged: its members would be more, or larger together, than the file says or holds")
    with memoryview(data) as whole, whole[: directory.place] as view:
        return {member.filename: _place_of(view, member) for member in listed}, folder


def _check_names(names: list[str]) -> str:
    """The folder that all members are in."""
    folders: set[str] = set()
    for name in names:
        for pattern, sentence in _FOREIGN.items():
            if re.fullmatch(pattern, name):
                raise CheckpointError(f"{sentence}, not plain weights; it is refused, because it could hold code")
        match = _MEMBER.fullmatch(name)
        if not match:
            raise CheckpointError(
                f"is a zip archive with {quote(name)} in it, which weights do not have; it is refused"
            )
        folders.add(match["folder"])
    if len(folders) != 1 or len(set(names)) < len(names):
        raise CheckpointError("is a zip archive with the same member twice, or none; it is refused")
    return folders.pop()


def _check_member(member: ZipInfo) -> None:
    if member.compress_type != ZIP_STORED:
        raise CheckpointError("is compressed, which weights saved by torch never are; it is refused")
    if member.compress_size != member.file_size:
        raise CheckpointError("is damaged: the sizes of its members contradict each other")
    if member.flag_bits & _ENCRYPTED:
        raise CheckpointError("is encrypted; it is refused")


def _place_of(view: memoryview, member: ZipInfo) -> _Place:
    """Where the bytes are under the member's own header, which must agree with the directory."""
    begin = member.header_offset + _LOCAL.size
    if not 0 <= member.header_offset <= begin <= len(view):
        raise CheckpointError(_DAMAGED)
    sign, _, flags, method, *_, name_length, extra = _LOCAL.unpack_from(view, member.header_offset)
    name = bytes(view[begin : begin + name_length]).decode("utf-8" if flags & _UTF8 else "cp437", "replace")
    if sign != ZIP_BEGIN or name != member.orig_filename or method != ZIP_STORED or flags & _ENCRYPTED:
        raise CheckpointError(f"is damaged: its member {quote(member.filename)} is described in two ways")
    begin += name_length + extra
    with view[begin : begin + member.file_size] as stored:
        if len(stored) != member.file_size or zlib.crc32(stored) != member.CRC:
            raise CheckpointError(f"is damaged: the checksum of its member {quote(member.filename)} is wrong")
    return begin, member.file_size
