"""What libvips does not say of a file, found in the container itself; and BMP. Run in the worker process alone."""

from __future__ import annotations

import mmap
import os
import struct
from typing import Any

from PIL import Image, ImageFile

from unblur.errors import ReadError
from unblur.images.exif import PREFIX, check_extent
from unblur.images.limits import check_size
from unblur.images.page_reading import describe_pages
from unblur.images.tiff_structure import Directory
from unblur.system.scratch import lasting_scratch_file, write_all

__all__ = ["add_facts", "add_tiff_facts", "decode_bmp", "is_grey_avif", "read_exif"]

_TIFF_SUBFILE, _TIFF_PHOTOMETRIC, _TIFF_DNG_VERSION, _TIFF_COMPRESSION = 254, 262, 50706, 259
_TIFF_PALETTE, _TIFF_JPEG, _TIFF_OLD_JPEG = 3, 7, 6
_DESCRIPTION = 270
_EXIF_IN_TIFF = (_DESCRIPTION, 271, 272, 305, 306, 315, 316, 33432)
_SRGB_GAMMA = 45455
_EXIF_DIRECTORIES = (0x8769, 0x8825)


def add_facts(kind: str, source: int, header: dict[str, Any]) -> None:
    """Complete a header by what the format's own structure says."""
    with os.fdopen(os.dup(source), "rb") as file:
        file.seek(0)
        if kind == "png":
            _add_png_facts(file, header)
        elif kind == "webp":
            header["lossless"] = b"VP8L" in file.read(1 << 16)
        elif kind == "avif":
            header["frames"] = max(header["frames"], _frames_of_avif(file.read(1 << 16)))
        elif kind == "jpeg":
            _note_further_pictures(file.read(1 << 16), header)


def is_grey_avif(source: int) -> bool:
    """Whether an AVIF without alpha has one channel, by its `pixi` box; libvips shows all as RGB."""
    head = os.pread(source, 1 << 16, 0)
    at = head.find(b"pixi")
    return at >= 0 and head[at + 8 : at + 9] == b"\x01"


def decode_bmp(source: int, max_pixels: int, *, damaged: bool) -> tuple[dict[str, Any], int]:
    """Decode a BMP file; see `decoding.decode`."""
    Image.MAX_IMAGE_PIXELS = None  # our own check comes first and speaks our language
    ImageFile.LOAD_TRUNCATED_IMAGES = damaged
    with os.fdopen(os.dup(source), "rb") as file, Image.open(file, formats=["BMP"]) as image:
        check_size(image.width, image.height, max_pixels)
        header = _bmp_header(image)
        modes = {"1": "L", "P": "RGB"}
        decoded = image.convert(modes[image.mode]) if image.mode in modes else image
        header |= {"shape": [image.height, image.width, len(decoded.getbands())], "blobs": {}}
        header["space"] = "grey" if decoded.mode == "L" else "rgb"
        with lasting_scratch_file() as pixels:
            write_all(pixels, decoded.tobytes())
    return header, pixels


def _bmp_header(image: Image.Image) -> dict[str, Any]:
    dots = image.info.get("dpi", (0, 0))
    return {
        "dtype": "uint8",
        "has_alpha": image.mode == "RGBA",
        "bits": 1 if image.mode == "1" else 8,
        "palette": image.mode == "P",
        "frames": 1,
        "resolution": [dots[0] / 25.4, dots[1] / 25.4] if min(dots) > 0 else None,
        "lossless": True,
        "subsampled": False,
        "notes": list[str](),
    }


def _add_png_facts(file: Any, header: dict[str, Any]) -> None:
    """Frames of an animated PNG, and a gamma that differs from sRGB's, by the chunks that stand before the pixels."""
    chunks: dict[bytes, int] = {}
    file.seek(8)
    while len(start := file.read(8)) == 8:
        length, name = struct.unpack(">L4s", start)
        if name == b"IDAT":
            break
        chunks[name] = int.from_bytes(file.read(4), "big")
        file.seek(length, os.SEEK_CUR)
    header["frames"] = max(1, chunks.get(b"acTL", 1))
    gamma = chunks.get(b"gAMA", _SRGB_GAMMA) / 1e5
    if abs(gamma - _SRGB_GAMMA / 1e5) > 0.01 and not chunks.keys() & {b"iCCP", b"sRGB"}:
        header["notes"].append(f"the file states a gamma of {gamma:.3f}, which is not kept")


def _frames_of_avif(head: bytes) -> int:
    """Samples of an image sequence's first track, by the `stsz` box; libheif sees the still picture alone."""
    at = head.find(b"stsz")
    return int.from_bytes(head[at + 12 : at + 16], "big") if at >= 0 else 1


def _note_further_pictures(head: bytes, header: dict[str, Any]) -> None:
    if b"MPF\x00" in head:
        header["notes"].append("further pictures in the file (a gain map, a preview) are not kept")


def add_tiff_facts(source: int, header: dict[str, Any], blobs: dict[str, bytes], page: Directory, pages: int) -> None:
    """Facts of one page of a TIFF, and its EXIF, which libvips passes over.

    Args:
        source: Open descriptor of the file.
        header: Completed here.
        blobs: Completed here.
        page: Directory of the page.
        pages: How many pages will be kept; what the file says of them is made true.

    Raises:
        ReadError: A camera raw file in the form of a TIFF.
    """
    tags = page.numbers
    if _TIFF_DNG_VERSION in tags or tags.get(_TIFF_SUBFILE, 0) & 1:
        raise ReadError(
            "is a camera raw file or opens with a reduced picture; develop it to a plain TIFF or JPEG first"
        )
    header["palette"] = tags.get(_TIFF_PHOTOMETRIC) == _TIFF_PALETTE
    header["lossless"] = tags.get(_TIFF_COMPRESSION) not in {_TIFF_JPEG, _TIFF_OLD_JPEG}
    try:
        kept = read_exif(source, page)
    except Exception:  # Pillow's parser raises nearly everything on damaged directories, which then have no EXIF for us
        return
    _correct_description(kept, header, pages)
    blobs["exif"] = kept.tobytes().removeprefix(PREFIX) if len(kept) else b""


def read_exif(source: int, page: Directory) -> Image.Exif:
    """The tags of a page that belong into an EXIF block."""
    head = os.pread(source, 4, 0)
    found, kept = Image.Exif(), Image.Exif()
    found.endian, found.bigtiff = "<" if head[:2] == b"II" else ">", 43 in head
    with os.fdopen(os.dup(source), "rb") as file, mmap.mmap(source, 0, access=mmap.ACCESS_READ) as data:
        if not found.bigtiff:
            check_extent(data, page.at, found.endian)
        found.load_from_fp(file, page.at)
        kept.update({tag: found[tag] for tag in _EXIF_IN_TIFF if tag in found})
        for directory in _EXIF_DIRECTORIES:
            if values := dict(found.get_ifd(directory)):
                kept.get_ifd(directory).update(values)
                kept[directory] = kept.get_ifd(directory)
    return kept


def _correct_description(kept: Image.Exif, header: dict[str, Any], pages: int) -> None:
    description = kept.get(_DESCRIPTION)
    if not isinstance(description, str) or (true := describe_pages(description, pages)) == description:
        return
    del kept[_DESCRIPTION]
    if true:
        kept[_DESCRIPTION] = true
    if header["frames"] == pages:  # the file contradicts itself
        header["notes"].append(f"the file describes more pages than the {pages} that can be read; that is not kept")
