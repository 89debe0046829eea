"""Photos inside tar files: a million photos as some hundred files, each photo read from its place when it is asked for.

A photo is known by a path that goes through the file: `photos/shard-000.tar/0001.jpg`.
"""

from __future__ import annotations

import tarfile
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from unblur.datasets.folders import IMAGE_SUFFIXES
from unblur.errors import DataError, ReadError

__all__ = ["list_shard", "read_member", "size_of_photo"]

_OPEN_SHARDS = 4096
"""Shards whose lists of contents are kept."""


class _Place(NamedTuple):
    """Where the bytes of a photo lie in a shard."""

    offset: int
    size: int


def list_shard(shard: Path) -> list[Path]:
    """The photos of an uncompressed tar file, in order of their names; hidden files are skipped.

    Raises:
        DataError: It is damaged, compressed, or no tar file.
    """
    return [shard / name for name in sorted(_contents(shard))]


def read_member(path: Path) -> bytes | None:
    """The file of a photo in a shard; None: no part of the path is a shard.

    Raises:
        ReadError: The shard, or the photo in it, is not there any more.
    """
    place = _place_of(path)
    if place is None:
        return None
    shard, (offset, size) = place
    try:
        with shard.open("rb") as file:
            file.seek(offset)
            return file.read(size)
    except OSError as error:
        raise ReadError(f"{shard.name}: {error.strerror or error}") from error


def size_of_photo(path: Path) -> int:
    """Bytes of the file of a photo, in a shard or not."""
    place = _place_of(path)
    return path.stat().st_size if place is None else place[1].size


def _place_of(path: Path) -> tuple[Path, _Place] | None:
    shard = next((parent for parent in path.parents if parent.suffix == ".tar" and parent.is_file()), None)
    if shard is None:
        return None
    name = path.relative_to(shard).as_posix()
    contents = _contents(shard)
    if name not in contents:
        raise ReadError(f"{shard.name} has no {name}")
    return shard, contents[name]


@lru_cache(_OPEN_SHARDS)
def _contents(shard: Path) -> Mapping[str, _Place]:
    """The photos by name, from the headers: their bytes are not read."""
    try:
        with tarfile.open(shard, "r:") as archive:
            return {
                member.name.removeprefix("./"): _Place(member.offset_data, member.size)
                for member in archive
                if member.isreg() and _is_photo(Path(member.name))
            }
    except (tarfile.TarError, OSError) as error:
        raise DataError(f"{str(shard)!r} is no uncompressed tar file that can be read: {error}") from error


def _is_photo(path: Path) -> bool:
    return path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith(".")
