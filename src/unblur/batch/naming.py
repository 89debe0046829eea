"""What the files that belong to a photo are called, and where they lie."""

from __future__ import annotations

import os
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from unblur.batch.inputs import Found
from unblur.batch.places import Place
from unblur.errors import FormatError
from unblur.images.signatures import extension_of, format_of_name
from unblur.images.unsupported import RAW_SUFFIXES
from unblur.system.stores import Address

__all__ = ["names_format", "output_beside", "output_name", "side_places", "side_stem", "split_name", "tagged"]

_LONGEST_NAME = 255  # bytes, in every file system that is common on Linux, macOS and Windows
_LONGEST_SUFFIX = 16
_SIDE_ENDING = len(".step-0000.png")


def output_beside(path: Place, written_as: str | None = None) -> Place:
    """`NAME.unblur.EXT` beside a photo; see `output_name`."""
    stem, suffix = split_name(output_name(Path(path.name), written_as).name)
    return path.with_name(tagged(stem, suffix))


def output_name(photo: Path, written_as: str | None = None) -> Path:
    """The photo's own path with the extension of what is written.

    Args:
        photo: Path of the input.
        written_as: The format; None: that of the photo, or TIFF for camera raw files, which nobody but cameras writes.
    """
    stem, suffix = split_name(photo.name)
    if written_as is None:
        return photo.with_name(stem + ".tif") if suffix.lower() in RAW_SUFFIXES else photo
    is_named_so = names_format(suffix, written_as)
    return photo if is_named_so else photo.with_name(stem + extension_of(written_as))


def names_format(suffix: str, format: str) -> bool:  # noqa: A002
    """Whether a file with this extension is written in that format."""
    try:
        return format_of_name(f"name{suffix}") == format
    except FormatError:
        return False


def split_name(name: str) -> tuple[str, str]:
    """Stem and suffix; what follows the last dot is no suffix if it is a whole sentence."""
    suffix = Path(name).suffix
    return (name.removesuffix(suffix), suffix) if len(os.fsencode(suffix)) <= _LONGEST_SUFFIX else (name, "")


def tagged(stem: str, ending: str) -> str:
    """`STEM.unblur` and the ending, with the stem cut where the file system would refuse it."""
    ending = f".unblur{ending}"
    return _cut(stem, _LONGEST_NAME - len(os.fsencode(ending))) + ending


def side_stem(folder: Path, place: Path) -> Path:
    """What the names of a photo's steps and motion begin with, in the folder for them.

    Args:
        folder: Folder for the files of all photos.
        place: Place of the photo, see `side_places`.
    """
    return folder / place.with_name(_cut(place.name, _LONGEST_NAME - _SIDE_ENDING))


def side_places(found: Sequence[Found]) -> list[Path]:
    """Where each photo's side outputs lie in the folder for them: their tree is that of the photos.

    Photos of one name from several folders are distinguished by their places below the folder that all have in common.
    """
    places = [item.place for item in found]
    if len(set(places)) == len(places):
        return places
    paths = [None if item.path is None else _absolute(item.path) for item in found]
    common = os.path.commonpath([path.parent for path in paths if path])
    return [path.relative_to(common) if path else item.place for path, item in zip(paths, found, strict=True)]


def _absolute(path: Place) -> Path:
    """A path by which files from everywhere can be compared."""
    if isinstance(path, Address):
        return Path("/", path.protocol, path.key)
    return Path(os.path.abspath(path))  # noqa: PTH100 - keeps links


def _cut(stem: str, room: int) -> str:
    """The stem in at most so many bytes."""
    stem_bytes = os.fsencode(stem)
    if len(stem_bytes) <= room:
        return stem
    # Names that differ only in what is cut off stay different by the checksum.
    check = "~" + sha256(stem_bytes).hexdigest()[:8]
    return stem_bytes[: room - len(check)].decode("utf-8", "ignore") + check
