"""The zip archives that `torch.save` writes: looked through first, then given to torch's reader of plain weights."""

from __future__ import annotations

import io
import re
import struct
from typing import Any
from zipfile import ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from unblur.errors import CheckpointError
from unblur.weights.pickles import read_pickle
from unblur.weights.storages import bytes_of

__all__ = ["read_zip"]

_MOST_MEMBERS = 20_000
_LARGEST_PICKLE = 16 * 2**20
_ENCRYPTED = 0x1
_MEMBER = re.compile(
    r"(?P<folder>[^/]+)/(data\.pkl|data/\d+|version|byteorder|\.format_version|\.storage_alignment|"
    r"\.data/serialization_id)"
)
_FOREIGN = {
    r".*/(constants\.pkl|code/.*)": "is a TorchScript program",
    r".*(/archive_format|/archive_version|/models/.*|exported_program\.json)": "is an exported program (.pt2)",
    r".*\.npy": "is a NumPy archive (.npz)",
}


def read_zip(data: bytes) -> Any:
    """What was saved, with CPU tensors.

    Args:
        data: The whole file.

    Raises:
        CheckpointError: Not an archive of plain weights: compressed, damaged, with members or instructions that
            weights do not need.
    """
    try:
        with ZipFile(io.BytesIO(data)) as archive:
            _look_through(archive, data)
    except (BadZipFile, ValueError, LookupError, EOFError, OSError, NotImplementedError, RuntimeError, struct.error):
        raise CheckpointError("is damaged: it begins as a zip archive, but cannot be read as one") from None
    return _load(data)


def _look_through(archive: ZipFile, data: bytes) -> None:
    """Refuse what `torch.save` does not write, before anything larger than the file is in memory."""
    if data.count(b"PK\x01\x02") > _MOST_MEMBERS:
        raise CheckpointError(f"has more than {_MOST_MEMBERS:,} members, too many for weights")
    members = {member.filename: member for member in archive.infolist()}
    folder = _check_names([member.filename for member in archive.infolist()])
    for member in members.values():
        _check_member(member)
    if sum(member.file_size for member in members.values()) > len(data):
        raise CheckpointError("is damaged: its members would be larger together than the file")
    if f"{folder}/data.pkl" not in members or members[f"{folder}/data.pkl"].file_size > _LARGEST_PICKLE:
        raise CheckpointError("has no description of its tensors (data.pkl) of at most 16 MB")
    damaged = archive.testzip()
    if damaged:
        raise CheckpointError(f"is damaged: the checksum of its member {damaged!r} is wrong")
    _check_contents(archive, folder, members)


def _check_names(names: list[str]) -> str:
    """The folder that all members are in."""
    folders: set[str] = set()
    for name in names:
        for pattern, sentence in _FOREIGN.items():
            if re.fullmatch(pattern, name):
                raise CheckpointError(f"{sentence}, not plain weights; it is refused, because it could hold code")
        match = _MEMBER.fullmatch(name)
        if not match:
            raise CheckpointError(f"is a zip archive with {name!r} in it, which weights do not have; it is refused")
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


def _check_contents(archive: ZipFile, folder: str, members: dict[str, ZipInfo]) -> None:
    description = io.BytesIO(archive.read(f"{folder}/data.pkl"))
    contents = read_pickle(description)
    if description.read(1):
        raise CheckpointError("has something hidden behind the description of its tensors; it is refused")
    byteorder = f"{folder}/byteorder"
    if byteorder in members and archive.read(byteorder) != b"little":
        raise CheckpointError("holds numbers in an order of bytes other than little-endian")
    for storage in contents.storages.values():
        member = members.get(f"{folder}/data/{storage.key}")
        if member is None or member.file_size != bytes_of(storage):
            raise CheckpointError("is damaged: the numbers of a tensor are missing or of another amount")


def _load(data: bytes) -> Any:
    import torch  # noqa: PLC0415 - torch only where it is needed

    try:
        return torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except Exception:  # torch fails in many ways on damaged files, and advises to trust them
        raise CheckpointError(
            "is damaged, or holds more than tensors, numbers and text; torch cannot read it"
        ) from None
