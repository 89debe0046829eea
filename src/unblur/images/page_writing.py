"""Several pages or frames in one file: a TIFF of many pages, or an animation."""

from __future__ import annotations

import io
import mmap
import tempfile
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, BinaryIO, cast

import numpy as np
import pyvips

from unblur.errors import FormatError
from unblur.images.encoding import QUALITIES, encode, to_pillow, to_vips, unused_quality, webp_coding
from unblur.images.fitting import fit
from unblur.images.palettes import png_text
from unblur.images.picture import FileFacts, Picture
from unblur.images.tiff_pages import TiffJoiner

__all__ = ["encode_pages"]


def encode_pages(
    pictures: Iterable[Picture], kind: str, *, strip_metadata: bool, quality: int | None = None
) -> tuple[memoryview, tuple[str, ...]]:
    """The bytes of a file with all these pages, and sentences on what the format could not hold.

    Pages of a TIFF are taken one by one and go to the disk; frames of an animation are held together.

    Args:
        pictures: At least one; see `files.check_holds_pages` for what fits together.
        kind: `"tiff" | "gif" | "webp" | "png" | "avif"`.
        strip_metadata: See `files.write_image`.
        quality: See `files.write_image`.

    Raises:
        FormatError: A page does not fit into the format.
    """
    if kind == "tiff":
        data, losses = _encode_document(pictures, strip_metadata=strip_metadata)
        return data, (*losses, *unused_quality(kind, quality))
    notes: dict[str, None] = dict.fromkeys(unused_quality(kind, quality))
    frames: list[Picture] = []
    for picture in pictures:
        fitted, losses = fit(picture, kind, strip_metadata=strip_metadata)
        notes.update(dict.fromkeys(losses))
        frames.append(fitted)
    try:
        data = _encode_gif(frames) if kind == "gif" else _encode_with_pillow(frames, kind, quality)
    except (pyvips.Error, OSError, ValueError) as error:
        raise FormatError(f"cannot be written as {kind.upper()}: {error}") from error
    return memoryview(data), tuple(notes)


def _encode_document(pictures: Iterable[Picture], *, strip_metadata: bool) -> tuple[memoryview, tuple[str, ...]]:
    notes: dict[str, None] = {}
    with tempfile.TemporaryFile() as file:
        joiner = TiffJoiner(cast("BinaryIO", file))
        for picture in pictures:
            page, losses = encode(picture, "tiff", strip_metadata=strip_metadata)
            notes.update(dict.fromkeys(losses))
            joiner.add(page)
        file.flush()
        return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)), tuple(notes)


def _encode_gif(frames: Sequence[Picture]) -> bytes:
    """By libvips, which gives each frame the colours that suit it."""
    tall = replace(frames[0], pixels=np.concatenate([frame.pixels for frame in _alike(frames)]))
    image = to_vips(tall)
    image.set_type(pyvips.GValue.gint_type, "page-height", frames[0].height)
    image.set_type(pyvips.GValue.array_int_type, "delay", [frame.facts.duration for frame in frames])
    image.set_type(pyvips.GValue.gint_type, "loop", frames[0].facts.loop)
    data: bytes = image.gifsave_buffer(keep="none", keep_duplicate_frames=True)
    return data


def _encode_with_pillow(frames: Sequence[Picture], kind: str, quality: int | None) -> bytes:
    alike, facts, file = _alike(frames), frames[0].facts, io.BytesIO()
    mode = "RGBA" if alike[0].has_alpha else "RGB"
    images = [to_pillow(frame).convert(mode) for frame in alike]
    xmp = {"pnginfo": png_text(facts.xmp)} if facts.xmp and kind == "png" else {"xmp": facts.xmp}
    blocks = {"exif": facts.exif, "icc_profile": facts.icc, **xmp}
    options: dict[str, Any] = {name: block for name, block in blocks.items() if block} | _coding(kind, facts, quality)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # on oddities in EXIF, which are the camera's
        images[0].save(
            file,
            kind.upper(),
            save_all=True,
            append_images=images[1:],
            duration=[frame.facts.duration for frame in frames],
            loop=facts.loop,
            **options,
        )
    return file.getvalue()


def _alike(frames: Sequence[Picture]) -> Sequence[Picture]:
    """The same frames with as many channels each: all with alpha where one has it."""
    if len({frame.pixels.shape for frame in frames}) == 1:
        return frames
    peak = np.iinfo(frames[0].pixels.dtype).max
    alike: list[Picture] = []
    for frame in frames:
        colour = np.broadcast_to(frame.colour, (frame.height, frame.width, 3))
        alpha = np.full_like(colour[..., :1], peak) if frame.alpha is None else frame.alpha
        alike.append(replace(frame, pixels=np.concatenate([colour, alpha], axis=2), space="rgb", has_alpha=True))
    return alike


def _coding(kind: str, facts: FileFacts, quality: int | None) -> dict[str, Any]:
    if kind == "webp":
        return webp_coding(facts, quality)
    return {"quality": quality or QUALITIES["avif"], "subsampling": "4:4:4"} if kind == "avif" else {}
