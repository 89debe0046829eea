"""Decoding itself, run in the worker process alone: an open file in, pixels in a scratch file out.

libvips reads all formats but BMP, HEIC and camera raw, which its wheel lacks: Pillow reads the first, extras the rest.
Pixels leave in strips, those of a large photo to the disk, so that it is never whole in memory. CMYK needs no care
here: libvips treats every CMYK and YCCK JPEG as inverted, with an APP14 marker or without, which is what the JPEG
standard and all browsers do.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import pyvips

from unblur.errors import ReadError
from unblur.images import arrays, colour, containers, exif, heif, raw
from unblur.images.complexity import refuse_costly
from unblur.images.limits import check_page_count, check_size, keep_small_blocks
from unblur.images.page_reading import find_pages, read_frame
from unblur.images.profiles import usable_profile
from unblur.images.streams import another_image_follows
from unblur.images.unsupported import describe_unsupported_tiff
from unblur.system.scratch import lasting_scratch_file, scratch_file, write_all
from unblur.system.text import shorten

__all__ = ["JOBS", "complaint", "decode"]

# Nothing is decoded twice: what libvips keeps for that case only costs memory.
pyvips.cache_set_max(0)

Decoder = Callable[[int, dict[str, Any]], tuple[dict[str, Any], int]]

_STRIP_BYTES = 1 << 17  # small enough for the processor's cache on its way out
_COLOUR_CHANNELS = {"b-w": 1, "grey16": 1, "srgb": 3, "rgb16": 3, "scrgb": 3, "cmyk": 4}
_SPACES = {1: "grey", 3: "rgb", 4: "cmyk"}
_DTYPES = {"uchar": "uint8", "ushort": "uint16", "float": "float32"}
_SAMPLE_BYTES = {"uchar": 1, "ushort": 2, "float": 4}
_OUT_OF_MEMORY = ("out of memory", "insufficient memory", "memory allocation")
_PAGED = {"tiff", "gif", "webp"}
_FRAMES_BY_PILLOW = {"png", "avif"}
_BLOBS = {"icc": "icc-profile-data", "exif": "exif-data", "xmp": "xmp-data", "iptc": "iptc-data"}


_BY_OTHERS: dict[str, Callable[[int, int, bool], tuple[dict[str, Any], int]]] = {
    "bmp": lambda source, max_pixels, damaged: containers.decode_bmp(source, max_pixels, damaged=damaged),
    "heif": lambda source, max_pixels, _: heif.decode_heif(source, max_pixels, 0),
    "raw": lambda source, max_pixels, _: raw.decode_raw(source, max_pixels),
}
"""Formats that libvips does not read."""


def decode(source: int, request: dict[str, Any]) -> tuple[dict[str, Any], int]:
    """Decode one page or frame of an image file.

    Args:
        source: Open descriptor of the file.
        request: `format`, `max_pixels`, `allow_damaged` (give what can be read of a damaged file), `page` (0: the
            first), `is_only_page`: no other one is wanted, so that what the file says of its pages is not kept, and
            `target`: an empty file on the disk for the pixels of a large photo; None: there is none.

    Returns:
        What the file says beside its pixels, and a scratch file: the pixels, then the metadata blocks whose
        sizes the header gives in order.

    Raises:
        ReadError: Damaged, or samples of a kind that is not read.
        TooLargeError: More pixels, pages or scans than allowed.
    """
    refuse_costly(source, request["format"])
    pyvips.vips_lib.vips_error_clear()  # what an earlier file left there would be read as a fault of this one
    try:
        header, pixels = _decode(source, request, damaged=False)
        _note_further_image(source, request, header)
        return header, pixels
    except pyvips.Error as error:
        if any(words in str(error.detail).lower() for words in _OUT_OF_MEMORY):
            raise MemoryError from None
        _refuse_unsupported(source, request)
        if not request["allow_damaged"]:
            raise ReadError(complaint(error)) from None
    except ReadError:
        _refuse_unsupported(source, request)
        raise
    except OSError as error:
        if error.errno or not request["allow_damaged"]:  # Pillow's own complaints carry no number
            raise ReadError(complaint(error)) from None
    header, pixels = _decode(source, request, damaged=True)
    header["notes"].append("the file is damaged; what could be read of it was kept")
    return header, pixels


def _note_further_image(source: int, request: dict[str, Any], header: dict[str, Any]) -> None:
    if request["page"] == 0 and another_image_follows(source, request["format"]):
        header["notes"].append("a further image follows in the file and is not read")


def _refuse_unsupported(source: int, request: dict[str, Any]) -> None:
    """Tell a kind of TIFF that is not read from a damaged file."""
    if request["format"] == "tiff" and (reason := describe_unsupported_tiff(source)):
        raise ReadError(reason) from None


def complaint(error: Exception) -> str:
    """One sentence about damage, with the decoder's own first words."""
    if isinstance(error, OSError) and error.errno:
        return f"cannot be decoded: {(error.strerror or 'unknown reason').lower()}"
    words = str(getattr(error, "detail", error))
    # A bad seek is how every probing for a longer file ends; what the loader made of it comes after.
    first = next((line for line in words.splitlines() if line.strip() and "bad seek" not in line), "")
    plain = shorten("".join(letter if letter.isprintable() else " " for letter in first).strip(), 120)
    return f"is damaged or cut short ({plain})" if plain else "is damaged or cut short"


def _decode(source: int, request: dict[str, Any], *, damaged: bool) -> tuple[dict[str, Any], int]:
    if request["format"] in _BY_OTHERS:
        return _BY_OTHERS[request["format"]](source, request["max_pixels"], damaged)
    if damaged:
        return _decode_with_vips(source, request, "none")
    try:
        return _decode_with_vips(source, request, "warning" if request["format"] == "jpeg" else "error")
    except pyvips.Error as error:
        complaints = str(error.detail)
        if request["format"] == "tiff" and 'for "Orientation" tag' in complaints:
            return _decode_disoriented(source, request)
        if request["format"] != "jpeg":
            raise
    # Phones do write such files, and every viewer shows them: a sentence is enough.
    header, pixels = _decode_with_vips(source, request, "error")
    # Many cameras earn warnings that are not about pixels.
    if "Corrupt JPEG data" in complaints and "extraneous bytes" not in complaints:
        header["notes"].append("the file has a damaged place; part of the photo may look wrong")
    return header, pixels


def _decode_disoriented(source: int, request: dict[str, Any]) -> tuple[dict[str, Any], int]:
    """Decode a TIFF of an orientation that does not exist: libtiff calls that an error, everybody else upright."""
    mended = scratch_file()
    try:
        write_all(mended, exif.with_valid_orientation(os.pread(source, os.fstat(source).st_size, 0)))
        return _decode_with_vips(mended, request, "error")
    finally:
        os.close(mended)


def _decode_with_vips(source: int, request: dict[str, Any], fail_on: str) -> tuple[dict[str, Any], int]:
    kind = request["format"]
    os.lseek(source, 0, os.SEEK_SET)
    pages = find_pages(source) if kind == "tiff" else []
    which = {"page": pages[request["page"]].number if pages else request["page"]} if kind in _PAGED else {}
    loader = getattr(pyvips.Image, ("heif" if kind == "avif" else kind) + "load_source")
    image: Any = loader(pyvips.Source.new_from_descriptor(source), access="sequential", fail_on=fail_on, **which)
    check_size(image.width, image.height, request["max_pixels"])
    if kind == "avif" and image.bands == 3 and containers.is_grey_avif(source):
        image = image.extract_band(0).copy(interpretation="grey16" if image.format == "ushort" else "b-w")
    header = _header(image, kind, request["page"])
    blobs = {name: _blob(image, field) for name, field in _BLOBS.items()}
    blobs["exif"] = blobs["exif"].removeprefix(exif.PREFIX)
    if pages:
        header["frames"] = len(pages)
        kept_pages = 1 if request["is_only_page"] else len(pages)
        containers.add_tiff_facts(source, header, blobs, pages[request["page"]], kept_pages)
    containers.add_facts(kind, source, header)
    if kind == "tiff" or not request["is_only_page"]:
        check_page_count(header["frames"])
    blobs = keep_small_blocks(blobs, header["notes"])
    blobs["icc"] = usable_profile(blobs["icc"], header["space"], header["notes"])
    orientation = 1 if kind == "avif" else _field(image, "orientation", 1)  # libheif has turned AVIF already
    if header["frames"] > 1 and kind in _FRAMES_BY_PILLOW and not request["is_only_page"]:
        image, time = read_frame(source, kind, request["page"])
        header |= time | {"has_alpha": image.bands == 4, "dtype": "uint8", "bits": 8}
        image.set_type(pyvips.GValue.gint_type, "orientation", orientation)
    if 2 <= orientation <= 8:
        image = image.copy_memory().autorot()
    header |= {
        "shape": [image.height, image.width, image.bands],
        "blobs": {name: len(blob) for name, blob in blobs.items()},
    }
    size = image.width * image.height * image.bands * _SAMPLE_BYTES[image.format] + sum(map(len, blobs.values()))
    with lasting_scratch_file(size, request.get("target")) as pixels:
        for strip in _strips(image):
            write_all(pixels, strip)
        for blob in blobs.values():
            write_all(pixels, blob)
    return header, pixels


def _header(image: Any, kind: str, page: int) -> dict[str, Any]:
    """What libvips says of the file, as plain values."""
    colours = _COLOUR_CHANNELS.get(image.interpretation, 0)
    if image.format not in _DTYPES or image.bands - colours not in (0, 1) or not colours:
        raise ReadError(
            f"has {image.bands} channels of type {image.format} ({image.interpretation}); "
            "grey, RGB and CMYK with or without alpha are read, of up to 16 bits or 32-bit floating point"
        )
    stated = image.get_typeof("resolution-unit") != 0 or kind == "png"
    delays = list(image.get("delay")) if image.get_typeof("delay") else []
    return {
        "dtype": _DTYPES[image.format],
        "space": _SPACES[colours],
        "has_alpha": image.bands > colours,
        "bits": 32 if image.format == "float" else _field(image, "bits-per-sample", 8),
        "palette": bool(_field(image, "palette", 0)),
        "frames": _field(image, "n-pages", 1),
        "duration": delays[page] if page < len(delays) else 0,
        "loop": _field(image, "loop", 0),
        "resolution": [image.xres, image.yres] if stated and (image.xres, image.yres) != (1.0, 1.0) else None,
        "lossless": kind in {"png", "tiff", "gif"},
        "subsampled": _text(image, "jpeg-chroma-subsample") not in {"", "4:4:4"},
        "notes": list[str](),
    }


def _field(image: Any, name: str, otherwise: int) -> int:
    return int(image.get(name)) if image.get_typeof(name) else otherwise


def _text(image: Any, name: str) -> str:
    return str(image.get(name)) if image.get_typeof(name) else ""


def _blob(image: Any, name: str) -> bytes:
    return bytes(image.get(name)) if image.get_typeof(name) else b""


def _strips(image: Any) -> Iterator[memoryview]:
    """The pixels in reading order, some rows at a time."""
    region = pyvips.Region.new(image)
    rows = max(1, _STRIP_BYTES // (image.width * image.bands * _SAMPLE_BYTES[image.format]))
    for top in range(0, image.height, rows):
        yield region.fetch(0, top, image.width, min(rows, image.height - top))


JOBS: dict[str, Decoder] = {"decode": decode, "convert": colour.convert, "array": arrays.decode_array}
