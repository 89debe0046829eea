"""Kinds of image files that are not read: what they are, and which extra or program helps."""

from __future__ import annotations

import os
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from unblur.images.tiff_structure import BITS, COMPRESSION, PHOTOMETRIC, SAMPLE_FORMAT, is_page, read_directories

__all__ = [
    "HEIC",
    "RAW",
    "RAW_SUFFIXES",
    "UNSUPPORTED_SUFFIXES",
    "UnsupportedKind",
    "can_read_heif",
    "can_read_raw",
    "describe_unsupported_tiff",
    "is_raw_tiff",
    "kind_of_head",
    "unsupported_kind",
]


@dataclass(frozen=True)
class UnsupportedKind:
    """A kind of file that is known and not read.

    Attributes:
        name: Such as `"HEIC"`; a count can stand before it.
        advice: What to do, the rest of a sentence.
    """

    name: str
    advice: str

    @property
    def sentence(self) -> str:
        """Why a file of this kind is refused, for a message that begins with its name."""
        return f"is a file of a kind that is not supported ({self.name}); {self.advice}"


_CONVERT = "convert it to PNG or TIFF first, for example with ImageMagick (magick IN OUT.png)"
RAW = UnsupportedKind(
    "camera raw",
    'install what reads it with pip install "unblur[raw]", or develop it to a 16-bit TIFF, for example with darktable',
)
_VIDEO = UnsupportedKind("video", "take its frames out first (ffmpeg -i IN frame-%04d.png)")
HEIC = UnsupportedKind("HEIC", 'install what reads it with pip install "unblur[heif]", or export the photo as JPEG')

_STARTS = {
    b"FUJIFILMCCD-RAW": RAW,
    b"IIRO": RAW,
    b"IIRS": RAW,
    b"MMOR": RAW,
    b"IIU\x00": RAW,
    b"FOVb": RAW,
    b"\x00MRM": RAW,
    b"HEAPCCDR": RAW,
    b"\xff\x0a": UnsupportedKind("JPEG XL", "convert it to PNG first (djxl IN OUT.png)"),
    b"\x00\x00\x00\x0cJXL ": UnsupportedKind("JPEG XL", "convert it to PNG first (djxl IN OUT.png)"),
    b"\x00\x00\x00\x0cjP  ": UnsupportedKind("JPEG 2000", _CONVERT),
    b"\xff\x4f\xff\x51": UnsupportedKind("JPEG 2000", _CONVERT),
    b"8BPS": UnsupportedKind("Photoshop document", "save a flat copy of it as TIFF or PNG"),
    b"v/1\x01": UnsupportedKind("OpenEXR", _CONVERT),
    b"#?RADIANCE": UnsupportedKind("Radiance HDR", _CONVERT),
    b"#?RGBE": UnsupportedKind("Radiance HDR", _CONVERT),
    b"SIMPLE  =": UnsupportedKind("FITS", "convert it to a 16-bit or floating-point TIFF first"),
    b"%PDF": UnsupportedKind("PDF", "take its pictures out first (pdfimages -all IN NAME)"),
    b"\x1aE\xdf\xa3": _VIDEO,
    **{
        f"P{digit}".encode() + white: UnsupportedKind("PNM", _CONVERT)
        for digit in range(1, 8)
        for white in (b"\n", b" ")
    },
}
_BRANDS = {
    **dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"), HEIC),
    b"crx ": RAW,
}

UNSUPPORTED_SUFFIXES = frozenset(
    {
        *(".heic", ".heif", ".hif", ".jxl", ".jp2", ".j2k", ".jpf", ".jpx", ".psd", ".exr", ".hdr", ".fits", ".fit"),
        *(".cr2", ".cr3", ".crw", ".nef", ".nrw", ".arw", ".srf", ".sr2", ".raf", ".orf", ".rw2", ".pef", ".dng"),
        *(".3fr", ".erf", ".iiq", ".kdc", ".mrw", ".raw", ".rwl", ".srw", ".x3f", ".ppm", ".pgm", ".pbm", ".pnm"),
    }
)
"""Files of a folder that may be photos of a kind that is not read; `unsupported_kind` tells by the content."""

RAW_SUFFIXES = frozenset(
    {
        *(".cr2", ".cr3", ".crw", ".nef", ".nrw", ".arw", ".srf", ".sr2", ".raf", ".orf", ".rw2", ".pef", ".dng"),
        *(".3fr", ".erf", ".iiq", ".kdc", ".mrw", ".rwl", ".srw", ".x3f"),
    }
)
"""Extensions that cameras give to raw files."""
_RAW_PHOTOMETRICS = (32803, 34892)
_DNG_VERSION, _SUBDIRECTORIES = 50706, 330
_COMPRESSIONS = {
    6: "old-style JPEG",
    34712: "JPEG 2000",
    34713: "Nikon's raw",
    34887: "LERC",
    34892: "lossy DNG",
    34925: "LZMA",
    50000: "Zstandard",
    50001: "WebP",
    50002: "JPEG XL",
    52546: "JPEG XL",
}
_PHOTOMETRICS = {
    8: "CIELab colours",
    9: "ICCLab colours",
    10: "ITULab colours",
    32803: "raw pixels of a sensor",
    32844: "LogL brightness",
    32845: "LogLuv colours",
    34892: "raw pixels of a sensor",
}
_SIGNED, _FLOAT = 2, 3
_PLAIN_TIFF = (
    "save it anew as a plain TIFF of up to 16 bits, for example with ImageMagick (magick IN -colorspace sRGB OUT.tif)"
)


def unsupported_kind(path: str | os.PathLike[str]) -> UnsupportedKind | None:
    """The kind of a photo that is not read here; None for every other file.

    The suffix decides whether the file is opened at all, the content what it is.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in UNSUPPORTED_SUFFIXES:
        return None
    try:
        with Path(path).open("rb") as file:
            head = file.read(64)
    except OSError:
        return None
    found = kind_of_head(head)
    if (found is HEIC and can_read_heif()) or (suffix in RAW_SUFFIXES and can_read_raw()):
        return None
    is_tiff = head[:4] in (b"II*\x00", b"MM\x00*")
    return RAW if found is None and is_tiff and suffix in RAW_SUFFIXES else found


def can_read_heif() -> bool:
    """Whether the extra that reads HEIC is installed."""
    return find_spec("pillow_heif") is not None


def can_read_raw() -> bool:
    """Whether the extra that reads camera raw files is installed."""
    return find_spec("rawpy") is not None


def is_raw_tiff(file: int) -> bool:
    """Whether an open TIFF is a camera raw file: it says so, its pixels are a sensor's, or they lie below a preview."""
    directories = [directory for directory, _ in zip(read_directories(file), range(8), strict=False)]
    if not directories:
        return False
    first = directories[0].numbers
    has_preview_first = not any(map(is_page, directories)) and _SUBDIRECTORIES in first
    of_sensor = any(directory.numbers.get(PHOTOMETRIC) in _RAW_PHOTOMETRICS for directory in directories)
    return _DNG_VERSION in first or of_sensor or has_preview_first


def kind_of_head(head: bytes) -> UnsupportedKind | None:
    """The kind that the first bytes of a file announce, 64 or more of them, if it is known and not read."""
    if head[8:10] == b"CR" and head[:4] == b"II*\x00":
        return RAW
    for start, kind in _STARTS.items():
        if head.startswith(start):
            return kind
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        return _VIDEO
    if head[4:8] == b"ftyp":
        end = min(int.from_bytes(head[:4], "big"), len(head))
        brands = [head[8:12], *(head[at : at + 4] for at in range(16, end - 3, 4))]
        return next((_BRANDS[brand] for brand in brands if brand in _BRANDS), _VIDEO)
    return None


def describe_unsupported_tiff(file: int) -> str:
    """Why the first page of an open TIFF is not read, for a message that begins with its name; empty: it should be."""
    tags = next((directory.numbers for directory in read_directories(file)), {})
    reasons = [
        _COMPRESSIONS.get(tags.get(COMPRESSION, 1), "") and f"{_COMPRESSIONS[tags[COMPRESSION]]} compression",
        _PHOTOMETRICS.get(tags.get(PHOTOMETRIC, 1), ""),
        _describe_samples(tags.get(BITS, 1), tags.get(SAMPLE_FORMAT, 1)),
    ]
    reason = next(filter(None, reasons), "")
    return f"is a TIFF of a kind that is not supported ({reason}); {_PLAIN_TIFF}" if reason else ""


def _describe_samples(bits: int, sample_format: int) -> str:
    if sample_format > _FLOAT:
        return "complex numbers"
    if sample_format == _FLOAT:
        return f"floating-point numbers of {bits} bits" if bits > 32 else ""
    if sample_format == _SIGNED:
        return "whole numbers with a sign"
    return f"samples of {bits} bits" if bits > 16 else ""
