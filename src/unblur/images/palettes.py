"""Pictures of few colours as palette files, without loss."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, PngImagePlugin

from unblur.images.picture import Picture

__all__ = ["encode_palette", "find_palette", "png_text"]

_LARGEST = 256
_XMP_IN_TIFF = 700


def find_palette(picture: Picture) -> tuple[NDArray[np.uint8], NDArray[np.uint8]] | None:
    """Colours `(N, 4)` with alpha and the index of each pixel `(H, W)`; None where 256 colours are too few."""
    if picture.pixels.dtype != np.uint8 or picture.space == "cmyk":
        return None
    colour = np.broadcast_to(picture.colour, (picture.height, picture.width, 3)).astype(np.uint32)
    alpha = np.uint32(255) if picture.alpha is None else picture.alpha[..., 0].astype(np.uint32)
    code = colour[..., 0] << 24 | colour[..., 1] << 16 | colour[..., 2] << 8 | alpha
    # A photo has more than 256 colours in its first rows: the sort of all of it is seldom needed.
    if len(np.unique(code[:64])) > _LARGEST:
        return None
    codes, index = np.unique(code, return_inverse=True)
    if len(codes) > _LARGEST:
        return None
    colours = codes.astype(">u4").view(np.uint8).reshape(-1, 4)
    return colours, index.reshape(code.shape).astype(np.uint8)


def encode_palette(picture: Picture, kind: str) -> bytes | None:
    """The bytes of a palette file with exactly these pixels; None where the format or the colours do not allow it."""
    if kind not in {"png", "tiff", "bmp", "gif"} or (found := find_palette(picture)) is None:
        return None
    colours, index = found
    alphas = colours[:, 3]
    if np.any(alphas < 255) and (kind in {"tiff", "bmp"} or (kind == "gif" and not _one_hole(alphas))):
        return None
    image = Image.fromarray(index).convert("L")
    image.putpalette(colours[:, :3].tobytes())
    file = io.BytesIO()
    image.save(file, kind.upper(), **_options(picture, kind, alphas))
    return file.getvalue()


def _one_hole(alphas: NDArray[np.uint8]) -> bool:
    """GIF knows one fully transparent colour and no half transparency."""
    return bool(np.all((alphas == 0) | (alphas == 255))) and int(np.sum(alphas == 0)) == 1


def _options(picture: Picture, kind: str, alphas: NDArray[np.uint8]) -> dict[str, Any]:
    facts = picture.facts
    options: dict[str, Any] = {"optimize": False} if kind == "gif" else {}
    if np.any(alphas < 255):
        options["transparency"] = alphas.tobytes() if kind == "png" else int(np.argmin(alphas))
    if facts.resolution and kind != "gif":
        options["dpi"] = (facts.resolution[0] * 25.4, facts.resolution[1] * 25.4)
    if kind in {"png", "tiff"}:
        options |= {name: block for name, block in (("icc_profile", facts.icc), ("exif", facts.exif)) if block}
    if kind == "tiff":
        options |= {"compression": "tiff_lzw", "tiffinfo": {_XMP_IN_TIFF: facts.xmp} if facts.xmp else {}}
    if kind == "png" and facts.xmp:
        options["pnginfo"] = png_text(facts.xmp)
    return options


def png_text(xmp: bytes) -> PngImagePlugin.PngInfo:
    """An XMP packet as Pillow writes it into a PNG."""
    text = PngImagePlugin.PngInfo()
    text.add_itxt("XML:com.adobe.xmp", xmp.decode("utf-8", "replace"))
    return text
