"""Image files to pictures and back: the only functions of the package that read and write them."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, BinaryIO

from unblur.errors import FormatError, ReadError, TooLargeError
from unblur.images.decoder import map_pixels, run_job
from unblur.images.limits import Limits, check_total_size
from unblur.images.picture import FileFacts, Picture
from unblur.images.signatures import HEAD_BYTES, Frames, format_of_bytes, format_of_name
from unblur.images.unsupported import RAW, can_read_raw, is_raw_tiff
from unblur.system.atomic import atomic_write
from unblur.system.scratch import scratch_file, write_all

__all__ = [
    "check_file",
    "check_holds_pages",
    "count_pages",
    "encode_image",
    "encode_pages",
    "read_image",
    "read_pages",
    "write_image",
]

Source = str | os.PathLike[str] | bytes

_DOCUMENTS = {"tiff"}  # whose pages are separate images
_ANIMATIONS = {"gif", "webp", "png", "avif"}
_SINGLE = {"jpeg", "bmp", "heif", "raw"}  # of which one image is read

_UNREADABLE = {
    errno.ENOENT: "does not exist",
    errno.ENOTDIR: "does not exist",
    errno.EACCES: "cannot be read: there is no permission",
    errno.EPERM: "cannot be read: there is no permission",
    errno.ELOOP: "is a loop of symbolic links",
    errno.ENAMETOOLONG: "has a name that is too long for this disk",
    errno.ENXIO: "is not a file but a device, pipe or socket",
}


def read_image(source: Source, *, limits: Limits | None = None, allow_damaged: bool = False) -> Picture:
    """Read one image; decoding happens in a process of its own, so that no file can harm this one.

    JPEG, PNG, TIFF, WebP, BMP, GIF, AVIF and, with extras, HEIC and camera raw are recognised by content. Pixels come
    upright (EXIF orientation applied), otherwise as stored. Of several frames or pages the first is read, and
    `facts.notes` says so.

    Args:
        source: Path of a file, or its bytes.
        limits: What the file may cost; None: the defaults of `Limits`.
        allow_damaged: Give what can be decoded of a damaged or cut file, with a note, instead of an error.

    Raises:
        ReadError: Not an image of a kind that is read, damaged, or unreadable.
        TooLargeError: Over a limit.
    """
    return next(read_pages(source, frames="first", limits=limits, allow_damaged=allow_damaged))


def read_pages(
    source: Source | BinaryIO, *, frames: Frames = "auto", limits: Limits | None = None, allow_damaged: bool = False
) -> Iterator[Picture]:
    """Read the pages or frames of an image file one by one; see `read_image`.

    Args:
        source: Path of a file, its bytes, or an open file, which stays open.
        frames: `"first"`: the first alone, with a note on the others. `"all"`: every one, whole as it is shown.
            `"auto"`: all pages of a document (TIFF), the first frame of an animation.
        limits: What the file may cost; each page by itself, and all together ten times as many pixels.
        allow_damaged: Give what can be decoded of a damaged or cut file, with a note, instead of an error.

    Raises:
        ReadError: Not an image of a kind that is read, damaged, or unreadable.
        TooLargeError: Over a limit.
    """
    with _opened(source) as file:
        yield from _read_pages(file, frames, limits or Limits(), allow_damaged=allow_damaged)


def check_file(source: Source, limits: Limits) -> None:
    """Refuse by its size and its first bytes what `read_image` would refuse so; nothing more is read of the file.

    Raises:
        ReadError: Not an image of a kind that is read, or unreadable.
        TooLargeError: The file is larger than allowed.
    """
    with _opened(source) as file:
        _recognise(file, limits)


def count_pages(first: Picture, frames: Frames) -> int:
    """How many pages `read_pages` gives of the file whose first page this is."""
    return first.facts.frames if _takes_all(first.facts.format, frames) else 1


def check_holds_pages(format: str, first: Picture) -> None:  # noqa: A002
    """Refuse before the work what could not be written after it.

    Args:
        format: The format to be written.
        first: The first page of several.

    Raises:
        FormatError: The format holds one image, or frames of an animation and no pages of a document.
    """
    if format in _DOCUMENTS or (format in _ANIMATIONS and first.facts.format in _ANIMATIONS):
        return
    raise FormatError(
        f"cannot be written as {format.upper()}, because the photo has {first.facts.frames} pages or frames; "
        "name the output .tif, or restore the first alone with --frames first"
    )


def write_image(
    picture: Picture,
    path: str | os.PathLike[str],
    *,
    format: str | None = None,  # noqa: A002 - the word every image library uses
    overwrite: bool = False,
    strip_metadata: bool = False,
    quality: int | None = None,
) -> tuple[str, ...]:
    """Write a picture so that its name never stands for part of it.

    Args:
        picture: What to write; depth, alpha, colour mode and metadata are kept as far as the format can hold them.
        path: Name of the file; its extension decides the format unless `format` is given.
        format: One of `signatures.Format`.
        overwrite: Replace a file of that name.
        strip_metadata: Leave out EXIF, XMP, IPTC and resolution. The colour profile stays, or the colours would change.
        quality: Quality of JPEG, WebP, AVIF and HEIC, 1 to 100; None: the format's own. A number makes WebP lose, too.

    Returns:
        Sentences on what the format could not hold.

    Raises:
        FormatError: No such format, or the picture does not fit into it.
        WriteError: The name cannot be used.
        OutputError: The folder cannot be written to.
    """
    data, notes = encode_image(picture, format or format_of_name(path), strip_metadata=strip_metadata, quality=quality)
    atomic_write(path, data, overwrite=overwrite)
    return notes


def encode_image(
    picture: Picture,
    format: str,  # noqa: A002
    *,
    strip_metadata: bool = False,
    quality: int | None = None,
) -> tuple[bytes, tuple[str, ...]]:
    """The bytes of an image file, and sentences on what the format could not hold; see `write_image`."""
    from unblur.images.encoding import encode  # noqa: PLC0415 - libvips is needed here for writing alone

    return encode(picture, format, strip_metadata=strip_metadata, quality=quality)


def encode_pages(
    pictures: Iterable[Picture],
    format: str,  # noqa: A002
    *,
    strip_metadata: bool = False,
    quality: int | None = None,
) -> tuple[memoryview, tuple[str, ...]]:
    """The bytes of a file with several pages or frames, and sentences on what the format could not hold.

    Pages of a TIFF are taken one by one and never held together.

    Raises:
        FormatError: A page does not fit into the format, or the format holds no pages.
    """
    from unblur.images.page_writing import encode_pages as encode  # noqa: PLC0415 - libvips, as above

    return encode(pictures, format, strip_metadata=strip_metadata, quality=quality)


@contextmanager
def _opened(source: Source | BinaryIO) -> Generator[int]:
    """Its descriptor; errors of the system become ours."""
    try:
        file = _open(source)
        try:
            yield file
        finally:
            os.close(file)
    except OSError as error:
        reason = _UNREADABLE.get(error.errno or 0)
        raise ReadError(reason or f"cannot be read: {(error.strerror or 'unknown reason').lower()}") from error


def _open(source: Source | BinaryIO) -> int:
    """Descriptor of a regular file, or of a scratch file with the bytes."""
    if isinstance(source, bytes):
        file = scratch_file()
        write_all(file, source)
        return file
    if not isinstance(source, str | os.PathLike):
        return os.dup(source.fileno())
    try:
        # O_NONBLOCK: a named pipe without a writer must not be waited for.
        file = os.open(source, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except ValueError:
        raise ReadError("has a zero byte in its name") from None
    mode = os.fstat(file).st_mode
    if not stat.S_ISREG(mode):
        os.close(file)
        raise ReadError("is a folder" if stat.S_ISDIR(mode) else "is not a file but a device, pipe or socket")
    return file


def _read_pages(file: int, frames: Frames, limits: Limits, *, allow_damaged: bool) -> Iterator[Picture]:
    kind = _recognise(file, limits)
    is_only_page = not _takes_all(kind, frames)
    first = _decode(file, kind, limits, page=0, is_only_page=is_only_page, allow_damaged=allow_damaged)
    count = first.facts.frames
    if is_only_page:
        yield _with_note_on_others(first)
        return
    check_total_size(first.width, first.height, count, limits.max_pixels)
    yield first
    del first  # not held while the others are worked on
    for page in range(1, count):
        yield _decode(file, kind, limits, page=page, is_only_page=False, allow_damaged=allow_damaged)


def _recognise(file: int, limits: Limits) -> str:
    """The format of an open file, unless the file is too large."""
    kind = _kind_of(file)
    size = os.fstat(file).st_size
    if size > limits.max_bytes:
        raise TooLargeError(f"is a file of {size / 1e6:.0f} MB; {limits.max_bytes / 1e6:.0f} MB are allowed")
    return kind


def _kind_of(file: int) -> str:
    """The format of an open file, of which a camera raw file in TIFF's form shows only behind its first bytes."""
    kind = format_of_bytes(os.pread(file, HEAD_BYTES, 0))
    if kind == "tiff" and is_raw_tiff(file):
        if not can_read_raw():
            raise ReadError(RAW.sentence)
        return "raw"
    return kind


def _takes_all(kind: str, frames: Frames) -> bool:
    return kind not in _SINGLE and (frames == "all" or (frames == "auto" and kind in _DOCUMENTS))


def _with_note_on_others(picture: Picture) -> Picture:
    facts = picture.facts
    if facts.frames == 1:
        return picture
    note = f"the file holds {facts.frames} frames or pages; only the first was used"
    return replace(picture, facts=replace(facts, notes=(*facts.notes, note)))


def _decode(file: int, kind: str, limits: Limits, *, page: int, is_only_page: bool, allow_damaged: bool) -> Picture:
    """One page of an open file, by way of the decoding process."""
    header, pixels = run_job(
        "decode", file, limits, format=kind, page=page, is_only_page=is_only_page, allow_damaged=allow_damaged
    )
    try:
        return _picture(kind, header, pixels)
    finally:
        os.close(pixels)


def _picture(kind: str, header: dict[str, Any], file: int) -> Picture:
    """The picture of a worker's answer."""
    height, width, channels = header["shape"]
    pixels, rest = map_pixels(file, (height, width, channels), header["dtype"])
    blobs: dict[str, bytes] = {}
    for name, size in header["blobs"].items():
        blobs[name], rest = rest[:size], rest[size:]
    resolution = header["resolution"]
    facts = FileFacts(
        format=kind,
        bits=header["bits"],
        palette=header["palette"],
        frames=header["frames"],
        duration=header.get("duration", 0),
        loop=header.get("loop", 0),
        icc=blobs.get("icc") or None,
        exif=blobs.get("exif") or None,
        xmp=blobs.get("xmp") or None,
        iptc=blobs.get("iptc") or None,
        resolution=(resolution[0], resolution[1]) if resolution else None,
        lossless=header["lossless"],
        subsampled=header["subsampled"],
        notes=tuple(header["notes"]),
    )
    return Picture(pixels, header["space"], header["has_alpha"], facts)
