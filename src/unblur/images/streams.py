"""Several image files one after the other in one stream, as `ffmpeg -f image2pipe` writes them, taken apart.

An image ends where its format's own structure ends. What follows is a further image if it begins like one of the same
format; else it belongs to the image before it (a video behind a photo, a gain map).
"""

from __future__ import annotations

import mmap
import re
import tempfile
from collections.abc import Callable, Iterator
from typing import BinaryIO, cast

from unblur.errors import TooLargeError
from unblur.images.limits import Limits
from unblur.images.signatures import HEAD_BYTES, format_of_bytes
from unblur.images.tiff_structure import begins_tiff, end_of_tiff

__all__ = ["another_image_follows", "split_images"]

_BLOCK = 1 << 20
_MOST_PARTS = 500_000
"""Of one image: chunks, segments or blocks. Usual ones have thousands of bytes each."""
_END_OF_SCAN = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")
"""A marker within coded pixels that does not belong to them: neither a stuffed zero nor a restart."""
_LONE_MARKERS = {0x01, *range(0xD0, 0xD9)}  # without a length
_END, _SCAN = 0xD9, 0xDA


class _Damaged(Exception):  # noqa: N818 - never leaves this module
    """The structure is broken, so where the image ends cannot be known."""


def split_images(stream: BinaryIO, limits: Limits) -> Iterator[BinaryIO]:
    """Each image of a stream as an open file, valid until the next one is asked for.

    A stream of TIFF files is one image, because nothing in such a file says where it ends. Never more than one image
    is held, in a file on the disk.

    Args:
        stream: Read to its end, a block at a time.
        limits: `max_bytes` bounds each image.

    Raises:
        ReadError: The stream, or what follows an image, is none of a kind that is read.
        TooLargeError: An image of more bytes than allowed.
    """
    source = _Source(stream)
    kind = format_of_bytes(source.peek(HEAD_BYTES))
    has_more = True
    while has_more:
        with tempfile.TemporaryFile() as file:
            source.begin(file, limits.max_bytes)
            has_more = _pass_image(source, kind)
            if not has_more:
                source.pass_rest()
            file.seek(0)
            yield file


def another_image_follows(file: int, kind: str) -> bool:
    """Whether an open image file holds a further image of the same format behind the first."""
    if kind == "tiff":
        return begins_tiff(file, end_of_tiff(file))
    with mmap.mmap(file, 0, access=mmap.ACCESS_READ) as data:
        if all(data.find(start, 1) < 0 for start in _STARTS.get(kind, ())):  # nearly always, and quickly known
            return False
        source = _Source(cast("BinaryIO", data))
        source.begin(None, len(data))
        return _pass_image(source, kind)


def _pass_image(source: _Source, kind: str) -> bool:
    """Pass one image on; returns whether another one follows."""
    pass_one = _WALKERS.get(kind)
    if pass_one is None:
        return False
    try:
        is_last = pass_one(source)
        return not is_last and any(source.peek(len(start)) == start for start in _STARTS[kind])
    except _Damaged:
        return False


class _Source:
    """A stream whose next bytes can be seen before they are passed on to a file."""

    def __init__(self, stream: BinaryIO) -> None:
        # A pipe's writer may pause between images: what it has written so far must be enough for the first.
        self._read_block: Callable[[int], bytes] = getattr(stream, "read1", stream.read)
        self._ahead = bytearray()
        self._file: BinaryIO | None = None
        self._left = self._parts = 0

    def begin(self, file: BinaryIO | None, most: int) -> None:
        """Pass what comes on to this file, at most so many bytes; None: to nobody."""
        self._file, self._left, self._parts = file, most, 0

    def peek(self, count: int) -> bytes:
        """The next bytes, fewer at the end of the stream."""
        while len(self._ahead) < count and self._read():
            pass
        return bytes(self._ahead[:count])

    def take(self, count: int) -> bytes:
        """Pass so many bytes on and return them.

        Raises:
            _Damaged: The stream ends before, or the image consists of far too many parts.
        """
        data = self.peek(count)
        self._parts += 1
        if len(data) < count or self._parts > _MOST_PARTS:
            raise _Damaged
        self._pass(count)
        return data

    def skip(self, count: int) -> None:
        """Pass so many bytes on, a block at a time.

        Raises:
            _Damaged: The stream ends before.
        """
        while count:
            block = min(count, _BLOCK)
            self.take(block)
            count -= block

    def skip_to(self, pattern: re.Pattern[bytes]) -> None:
        """Pass all bytes on that stand before a pattern of a few bytes.

        Raises:
            _Damaged: The stream ends before.
        """
        while not (found := pattern.search(self._ahead)):
            self._pass(max(0, len(self._ahead) - 1))  # the pattern may begin with the last byte
            if not self._read():
                raise _Damaged
        self._pass(found.start())

    def pass_rest(self) -> None:
        """Pass all that is left on."""
        self._pass(len(self._ahead))
        while self._read():
            self._pass(len(self._ahead))

    def _read(self) -> bool:
        """Take what the stream has ready; False: it has ended."""
        block = self._read_block(_BLOCK)
        self._ahead += block
        return bool(block)

    def _pass(self, count: int) -> None:
        self._left -= count
        if self._left < 0:
            raise TooLargeError("is a file of more bytes than are allowed")
        if self._file is not None:
            self._file.write(self._ahead[:count])
        del self._ahead[:count]


def _pass_png(source: _Source) -> bool:
    source.skip(8)
    while True:
        start = source.take(8)
        if not start[4:].isalpha():
            raise _Damaged
        source.skip(int.from_bytes(start[:4], "big") + 4)
        if start[4:] == b"IEND":
            return False


def _pass_jpeg(source: _Source) -> bool:
    """To the end marker; the last image of a file that announces further pictures of its own (gain maps, previews)."""
    source.skip(2)
    announces_more = False
    while True:
        marker = source.take(2)
        while marker == b"\xff\xff":  # fill bytes
            marker = marker[1:] + source.take(1)
        if marker[0] != 0xFF:
            raise _Damaged
        if marker[1] == _END:
            return announces_more
        if marker[1] in _LONE_MARKERS:
            continue
        length = int.from_bytes(source.peek(2), "big")
        announces_more |= source.peek(6)[2:] == b"MPF\x00"
        if length < 2:
            raise _Damaged
        source.skip(length)
        if marker[1] == _SCAN:
            source.skip_to(_END_OF_SCAN)


def _pass_webp(source: _Source) -> bool:
    size = int.from_bytes(source.take(8)[4:], "little")
    source.skip(size + size % 2)
    return False


def _pass_bmp(source: _Source) -> bool:
    size = int.from_bytes(source.peek(6)[2:], "little")
    if size < 26:  # some writers leave it out
        raise _Damaged
    source.skip(size)
    return False


def _pass_gif(source: _Source) -> bool:
    source.skip(10)
    _pass_colours(source, source.take(1)[0], rest=2)
    while (block := source.take(1)) != b"\x3b":
        if block == b"\x21":
            source.skip(1)
        elif block == b"\x2c":
            source.skip(8)
            _pass_colours(source, source.take(1)[0], rest=0)
            source.skip(1)
        else:
            raise _Damaged
        while size := source.take(1)[0]:
            source.skip(size)
    return False


def _pass_boxes(source: _Source) -> bool:
    """AVIF and HEIC: boxes up to the next one that begins a file."""
    is_first = True
    while len(head := source.peek(16)) >= 8 and (is_first or head[4:8] != b"ftyp"):
        size = int.from_bytes(head[:4], "big")
        if size == 1:
            size = int.from_bytes(head[8:16], "big")
        if size < 8:  # 0: to the end of the file
            raise _Damaged
        source.skip(size)
        is_first = False
    return False


def _pass_colours(source: _Source, flags: int, rest: int) -> None:
    """What stands behind the flags of a screen or a frame: further bytes and, if the flags say so, its colours."""
    source.skip(rest + (3 << (flags & 7) + 1 if flags & 0x80 else 0))


_WALKERS: dict[str, Callable[[_Source], bool]] = {
    "png": _pass_png,
    "jpeg": _pass_jpeg,
    "webp": _pass_webp,
    "bmp": _pass_bmp,
    "gif": _pass_gif,
    "avif": _pass_boxes,
    "heif": _pass_boxes,
}
_STARTS = {
    "png": (b"\x89PNG\r\n\x1a\n",),
    "jpeg": (b"\xff\xd8\xff",),
    "webp": (b"RIFF",),
    "bmp": (b"BM",),
    "gif": (b"GIF87a", b"GIF89a"),
    "avif": (b"\x00",),
    "heif": (b"\x00",),
}
