"""What each format can hold, and pictures made to fit into it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from unblur.errors import FormatError
from unblur.images.exif import upright_exif, upright_xmp
from unblur.images.inks import peak_of, to_srgb
from unblur.images.palettes import find_palette
from unblur.images.picture import Picture
from unblur.images.profiles import fits_png
from unblur.images.tiff_exif import EMPTY_TIFF, embed_exif

__all__ = ["fit", "low_bits"]

_LARGEST_IN_JPEG = {"EXIF block": 65533 - 6, "XMP": 65533 - 29}
"""Bytes of a block in one segment, less what JPEG puts before it."""
_IPTC_FORMATS = {"jpeg", "tiff"}  # each has a form of its own for it


@dataclass(frozen=True)
class _Holds:
    """What one format can hold."""

    name: str
    side: int
    depths: str = "u8"  # u8, u16: whole numbers up to 16 bits, any: floating point too
    alpha: bool = True
    cmyk: bool = False
    grey: bool = True
    icc: bool = True
    exif: bool = True
    xmp: bool = True


_HOLDS = {
    "jpeg": _Holds("JPEG", 65500, alpha=False, cmyk=True),
    "png": _Holds("PNG", 1_000_000, depths="u16"),
    "tiff": _Holds("TIFF", 10_000_000, depths="any", cmyk=True),
    "webp": _Holds("WebP", 16383, grey=False),
    "bmp": _Holds("BMP", 1_000_000, icc=False, exif=False, xmp=False),
    "gif": _Holds("GIF", 65535, icc=False, exif=False, xmp=False),
    "avif": _Holds("AVIF", 65535, depths="u16"),
    "heif": _Holds("HEIC", 65535, depths="u16"),
}


def fit(picture: Picture, kind: str, *, strip_metadata: bool) -> tuple[Picture, tuple[str, ...]]:
    """The picture as the format can hold it, and a sentence on each thing it cannot.

    Raises:
        FormatError: The picture is larger than the format allows.
    """
    holds, notes = _HOLDS[kind], list[str]()
    if max(picture.width, picture.height) > holds.side:
        raise FormatError(f"cannot be written as {holds.name}, which holds at most {holds.side} pixels a side")
    picture = _fit_metadata(picture, kind, notes, strip_metadata=strip_metadata)
    picture = _fit_colour(picture, kind, notes)
    picture = _fit_depth(picture, holds, notes)
    picture = _fit_alpha(picture, holds, notes)
    if kind == "gif" and not _few_colours(picture):
        notes.append("GIF holds 256 colours; finer shades were dithered (PNG would keep them)")
    held_bits = {"avif": 12, "heif": 10}.get(kind, 16)
    if picture.pixels.dtype == np.uint16 and picture.facts.bits > held_bits:
        notes.append(f"{_HOLDS[kind].name} holds {held_bits} bits; the last {16 - held_bits} of 16 were dropped")
    return picture, tuple(notes)


def low_bits(picture: Picture) -> int:
    """1, 2 or 4 where the file had so few bits and the pixels still fit into them without loss, else 0."""
    bits = picture.facts.bits
    if bits not in (1, 2, 4) or picture.space != "grey" or picture.has_alpha or picture.pixels.dtype != np.uint8:
        return 0
    return 0 if np.any(picture.pixels % (255 // (2**bits - 1))) else bits


def _fit_metadata(picture: Picture, kind: str, notes: list[str], *, strip_metadata: bool) -> Picture:
    """Metadata that is true of upright pixels, as far as it is wanted and held."""
    facts, holds = picture.facts, _HOLDS[kind]
    if strip_metadata:
        return replace(picture, facts=replace(facts, exif=None, xmp=None, iptc=None, resolution=None))
    exif, xmp = facts.exif, upright_xmp(facts.xmp) if facts.xmp else None
    if exif:
        try:
            exif = upright_exif(exif, picture.width, picture.height)
            if kind in {"tiff", "avif"}:  # where Pillow must understand the block
                embed_exif(EMPTY_TIFF, exif)
        except ValueError:
            exif = None
            notes.append("the EXIF block was damaged and is not kept")
    exif = _keep_block("EXIF block", exif, kind, notes, is_held=holds.exif)
    xmp = _keep_block("XMP", xmp, kind, notes, is_held=holds.xmp)
    is_iptc_held = kind in _IPTC_FORMATS and kind == facts.format
    iptc = _keep_block(f"IPTC block of {facts.format.upper()} files", facts.iptc, kind, notes, is_held=is_iptc_held)
    return replace(picture, facts=replace(facts, exif=exif, xmp=xmp, iptc=iptc))


def _keep_block(name: str, block: bytes | None, kind: str, notes: list[str], *, is_held: bool) -> bytes | None:
    """The block, or None and a note where the format cannot hold it."""
    if not block:
        return None
    is_too_large = kind == "jpeg" and len(block) > _LARGEST_IN_JPEG.get(name, len(block))
    if is_held and not is_too_large:
        return block
    notes.append(f"{_HOLDS[kind].name} holds no {'so large ' if is_held else ''}{name}; it is not kept")
    return None


def _fit_colour(picture: Picture, kind: str, notes: list[str]) -> Picture:
    holds, profile = _HOLDS[kind], picture.facts.icc
    if picture.space == "cmyk" and (not holds.cmyk or (picture.has_alpha and not holds.alpha)):
        notes.append(f"{holds.name} holds no such inks; they were converted to sRGB colours")
        return to_srgb(picture)
    if profile and (not holds.icc or (kind == "png" and not fits_png(profile, 1 if picture.space == "grey" else 3))):
        notes.append(
            f"{holds.name} holds no {'such ' if holds.icc else ''}colour profile; colours were converted to sRGB"
        )
        return to_srgb(picture)
    if profile and picture.space == "grey" and not holds.grey:
        notes.append(f"{holds.name} holds no grey profile; it is not kept")
        return replace(picture, facts=replace(picture.facts, icc=None))
    return picture


def _fit_depth(picture: Picture, holds: _Holds, notes: list[str]) -> Picture:
    """Fewer bits a sample where the format has no more; 65535 / 257 = 255, so whites stay white."""
    pixels = picture.pixels
    if pixels.dtype.kind == "f" and holds.depths != "any":
        target = np.dtype(np.uint16 if holds.depths == "u16" else np.uint8)
        peak = max(1.0, float(np.nanmax(picture.colour, initial=0.0)))
        scaled = np.nan_to_num(pixels) / np.float32(peak)
        if picture.alpha is not None:
            scaled[..., -1:] = np.nan_to_num(picture.alpha)
        pixels = np.rint(np.clip(scaled, 0, 1) * peak_of(target)).astype(target)
        scale = f" after division by the largest, {peak:.4g}" if peak > 1 else ""
        notes.append(f"{holds.name} holds no floating point; values became {8 * target.itemsize}-bit{scale}")
    elif pixels.dtype == np.uint16 and holds.depths == "u8":
        pixels = ((pixels.astype(np.uint32) + 128) // 257).astype(np.uint8)
        notes.append(f"{holds.name} holds 8 bits; values of 16 bits were rounded")
    else:
        return picture
    return replace(picture, pixels=pixels, facts=replace(picture.facts, bits=8 * pixels.itemsize))


def _fit_alpha(picture: Picture, holds: _Holds, notes: list[str]) -> Picture:
    if picture.alpha is None or holds.alpha:
        return picture
    peak = peak_of(picture.pixels.dtype)
    if (picture.alpha < peak).any():
        notes.append(f"{holds.name} holds no transparency; the picture was put on white")
    share = picture.alpha.astype(np.float32) / peak
    colour = np.rint(picture.colour * share + peak * (1 - share)).astype(picture.pixels.dtype)
    return replace(picture, pixels=colour, has_alpha=False)


def _few_colours(picture: Picture) -> bool:
    """Whether a palette holds every colour."""
    return find_palette(picture) is not None
