"""Pictures to the bytes of image files.

Where no quality is asked for: JPEG is written at quality 95, with full chroma unless the file that was read had less.
WebP is lossless unless the file that was read was not; AVIF is written at quality 90 with full chroma and exact alpha,
HEIC at quality 90 with full chroma. The others keep every value.
"""

from __future__ import annotations

import io
import logging
import struct
import warnings
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pyvips
from PIL import Image

from unblur.errors import FormatError
from unblur.images.exif import PREFIX
from unblur.images.fitting import fit, low_bits
from unblur.images.heif import encode_heif
from unblur.images.palettes import encode_palette
from unblur.images.picture import FileFacts, Picture
from unblur.images.tiff_exif import embed_exif, embed_iptc
from unblur.system.scratch import LARGE

__all__ = ["QUALITIES", "encode", "keeps_values", "to_pillow", "to_vips", "unused_quality", "webp_coding"]

# libvips passes warnings of its libraries on to Python's logging, whose last resort prints them on the terminal.
logging.getLogger("pyvips").addHandler(logging.NullHandler())

_KEEP = "icc|xmp"  # EXIF is put in by ourselves, byte for byte, and so is what libvips would cut
_XMP_PREFIX = b"http://ns.adobe.com/xap/1.0/\x00"
"""What JPEG puts before the packet."""
QUALITIES = {"jpeg": 95, "webp": 95, "avif": 90, "heif": 90}
"""Of formats with loss, where none is asked for."""
_INTERPRETATIONS = {
    ("grey", "uint8"): "b-w",
    ("grey", "uint16"): "grey16",
    ("grey", "float32"): "b-w",
    ("rgb", "uint8"): "srgb",
    ("rgb", "uint16"): "rgb16",
    ("rgb", "float32"): "scrgb",
}
_FORMATS = {"uint8": "uchar", "uint16": "ushort", "float32": "float"}


def encode(
    picture: Picture, kind: str, *, strip_metadata: bool, quality: int | None = None
) -> tuple[bytes, tuple[str, ...]]:
    """The bytes of an image file, and sentences on what the format could not hold; see `files.write_image`.

    Raises:
        FormatError: No such format, or the picture does not fit into it.
    """
    if kind not in _ENCODERS:
        raise FormatError(f"{kind!r} is no format that is written; choose one of {', '.join(_ENCODERS)}")
    fitted, notes = fit(picture, kind, strip_metadata=strip_metadata)
    notes = (*notes, *unused_quality(kind, quality))
    try:
        has_iptc = fitted.facts.iptc is not None  # which Pillow does not write
        if fitted.facts.palette and not has_iptc and (data := encode_palette(fitted, kind)):
            return data, notes
        return _ENCODERS[kind](fitted, quality), notes
    except (pyvips.Error, OSError, ValueError) as error:
        reason = (getattr(error, "detail", "") or str(error)).strip().splitlines()
        raise FormatError(
            f"cannot be written as {kind.upper()}: {reason[0] if reason else 'no reason given'}"
        ) from error


def unused_quality(kind: str, quality: int | None) -> tuple[str, ...]:
    """A sentence where a quality was asked for and the format has none."""
    return (
        () if quality is None or kind in QUALITIES else (f"{kind.upper()} has no quality; the one given is not used",)
    )


def _jpeg(picture: Picture, quality: int | None) -> bytes:
    # Tables that suit the photo, for 3% fewer bytes, need all of its coefficients in memory at once.
    optimize = picture.pixels.nbytes < LARGE
    subsample = "on" if picture.facts.subsampled and picture.space == "rgb" else "off"
    data: bytes = to_vips(picture).jpegsave_buffer(
        Q=quality or QUALITIES["jpeg"], optimize_coding=optimize, subsample_mode=subsample, keep="icc|iptc"
    )
    segments = b""
    if picture.facts.resolution and picture.space != "cmyk":  # JFIF knows no inks
        dots = (min(65535, round(25.4 * value)) for value in picture.facts.resolution)
        segments += b"\xff\xe0\x00\x10JFIF\x00\x01\x02\x01" + struct.pack(">HHBB", *dots, 0, 0)
    for prefix, block in ((PREFIX, picture.facts.exif), (_XMP_PREFIX, picture.facts.xmp)):
        if block:
            segments += b"\xff\xe1" + struct.pack(">H", len(prefix) + len(block) + 2) + prefix + block
    return data[:2] + segments + data[2:]


def _png(picture: Picture, _: int | None) -> bytes:
    data: bytes = to_vips(picture).pngsave_buffer(
        compression=6, keep=_KEEP, bitdepth=low_bits(picture) or 8 * picture.pixels.itemsize
    )
    block = picture.facts.exif
    if not block:
        return data
    chunk = b"eXIf" + block
    after_header = 33  # signature, then the IHDR chunk, always of this length
    return (
        data[:after_header]
        + struct.pack(">L", len(block))
        + chunk
        + struct.pack(">L", zlib.crc32(chunk))
        + data[after_header:]
    )


def _tiff(picture: Picture, _: int | None) -> bytes:
    low = low_bits(picture)
    if low == 4 and picture.width % 2:
        low = 0  # libvips 8.18 spoils the last column of odd widths at 4 bits
    predictor = "none" if low else "float" if picture.pixels.dtype.kind == "f" else "horizontal"
    data: bytes = to_vips(picture).tiffsave_buffer(compression="deflate", predictor=predictor, bitdepth=low, keep=_KEEP)
    facts = picture.facts
    data = embed_exif(data, facts.exif) if facts.exif else data
    return embed_iptc(data, facts.iptc) if facts.iptc else data


def _webp(picture: Picture, quality: int | None) -> bytes:
    return _with_pillow(picture, "WEBP", exact=True, **webp_coding(picture.facts, quality))


def webp_coding(facts: FileFacts, quality: int | None) -> dict[str, Any]:
    """Pillow's options for WebP: without loss unless a quality is asked for or the file had lost something already."""
    lossless = keeps_values("webp", facts, quality)
    return {"lossless": lossless, "quality": 80 if lossless else quality or QUALITIES["webp"]}


def keeps_values(kind: str, facts: FileFacts, quality: int | None) -> bool:
    """Whether a file of this format holds every pixel value exactly, as far as its depth reaches.

    Args:
        kind: A format that `encode_image` takes.
        facts: Of the picture.
        quality: That is asked for; None: the format's own.
    """
    return kind in {"png", "tiff", "bmp"} or (kind == "webp" and facts.lossless and quality is None)


def _avif(picture: Picture, quality: int | None) -> bytes:
    quality = quality or QUALITIES["avif"]
    if picture.pixels.dtype == np.uint8:
        # Alpha is to come back bit for bit, so it is coded without loss.
        alpha = {"codec": "aom", "advanced": {"alpha:lossless": "1"}} if picture.has_alpha else {}
        subsampling = "4:0:0" if picture.pixels.shape[2] == 1 else "4:4:4"
        return _with_pillow(picture, "AVIF", quality=quality, subsampling=subsampling, **alpha)
    image = to_vips(picture)
    if picture.facts.exif:
        # Pillow writes 8 bits alone; libvips keeps the tags and adds a few of its own.
        image.set_type(pyvips.GValue.blob_type, "exif-data", PREFIX + picture.facts.exif)
    data: bytes = image.heifsave_buffer(
        compression="av1",
        Q=quality,
        bitdepth=picture.facts.bits if picture.facts.bits in (10, 12) else 12,
        subsample_mode="off",
        keep=_KEEP + "|exif",
    )
    return data


def _heif(picture: Picture, quality: int | None) -> bytes:
    return encode_heif(picture, quality or QUALITIES["heif"])


def _gif(picture: Picture, _: int | None) -> bytes:
    data: bytes = to_vips(picture).gifsave_buffer(keep="none")
    return data


def _bmp(picture: Picture, _: int | None) -> bytes:
    if picture.has_alpha:
        return _bmp_with_alpha(picture)
    file = io.BytesIO()
    image = to_pillow(picture)
    if low_bits(picture) == 1:
        image = image.convert("1")
    image.save(file, "BMP", **_resolution(picture))
    return file.getvalue()


def _bmp_with_alpha(picture: Picture) -> bytes:
    """A BMP with the header (version 4) that says where alpha is; Pillow's older one declares it padding."""
    colour = np.broadcast_to(picture.colour[..., ::-1], (picture.height, picture.width, 3))
    rows = np.concatenate([colour, picture.pixels[..., -1:]], axis=2)[::-1].tobytes()
    start = 14 + 108
    across, down = (round(value * 1000) for value in picture.facts.resolution or (0, 0))
    bit_fields, srgb = 3, int.from_bytes(b"sRGB", "big")
    masks = (0x00FF0000, 0x0000FF00, 0x000000FF, 0xFF000000)
    header = struct.pack(
        "<LllHHLLllLL", 108, picture.width, picture.height, 1, 32, bit_fields, len(rows), across, down, 0, 0
    )
    header += struct.pack("<LLLLL", *masks, srgb) + bytes(48)
    return b"BM" + struct.pack("<LLL", start + len(rows), 0, start) + header + rows


def to_vips(picture: Picture) -> Any:
    """The picture as a libvips image, with the metadata that libvips writes itself."""
    pixels, facts = np.ascontiguousarray(picture.pixels), picture.facts
    dtype = pixels.dtype.name
    height, width, bands = pixels.shape
    image: Any = pyvips.Image.new_from_memory(pixels.data, width, height, bands, _FORMATS[dtype])
    image = image.copy(interpretation=_INTERPRETATIONS.get((picture.space, dtype), "cmyk"))
    if facts.resolution:
        image = image.copy(xres=facts.resolution[0], yres=facts.resolution[1])
        image.set_type(pyvips.GValue.gstr_type, "resolution-unit", "in")
    for name, block in (("icc-profile-data", facts.icc), ("xmp-data", facts.xmp), ("iptc-data", facts.iptc)):
        if block:
            image.set_type(pyvips.GValue.blob_type, name, block)
    return image


def to_pillow(picture: Picture) -> Image.Image:
    """The pixels of a picture of 8 bits as a Pillow image."""
    pixels = np.ascontiguousarray(picture.pixels)
    return Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)


def _with_pillow(picture: Picture, kind: str, **options: Any) -> bytes:
    """Formats of 8 bits whose metadata Pillow takes as they are, and libvips does not."""
    facts, file = picture.facts, io.BytesIO()
    mode = "RGBA" if picture.has_alpha else "RGB"
    if kind == "AVIF" and picture.pixels.shape[2] == 1:
        mode = "L"
    blocks = {"exif": facts.exif, "icc_profile": facts.icc, "xmp": facts.xmp}
    options |= {name: block for name, block in blocks.items() if block}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # on oddities in EXIF, which are the camera's
        to_pillow(picture).convert(mode).save(file, kind, **options)
    return file.getvalue()


def _resolution(picture: Picture) -> dict[str, Any]:
    resolution = picture.facts.resolution
    return {"dpi": (resolution[0] * 25.4, resolution[1] * 25.4)} if resolution else {}


_ENCODERS: dict[str, Callable[[Picture, int | None], bytes]] = {
    "jpeg": _jpeg,
    "png": _png,
    "tiff": _tiff,
    "webp": _webp,
    "bmp": _bmp,
    "gif": _gif,
    "avif": _avif,
    "heif": _heif,
}
