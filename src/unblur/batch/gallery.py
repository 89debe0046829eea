"""Before and after of every photo on one page, for people: an HTML file that needs nothing beside itself."""

from __future__ import annotations

import html
import mmap
import os
import tempfile
from base64 import b64encode
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import quote

import numpy as np
from PIL import Image

from unblur.batch.jobs import Replaceable
from unblur.batch.work import PhotoResult
from unblur.errors import ImageError, UsageError
from unblur.images.files import encode_image, read_image
from unblur.images.limits import Limits
from unblur.images.picture import FileFacts, Picture
from unblur.images.working import to_working
from unblur.system.atomic import atomic_write
from unblur.system.file_notes import read_note
from unblur.system.signals import shielded

__all__ = ["Gallery"]

_SIDE = 320
_QUALITY = 85
_LARGEST_PROFILE = 4096
"""Bytes of a colour profile that a small picture still carries; those of cameras and screens are below it."""
_MARK = {"kind": "gallery"}
_HEAD = b"""<!doctype html>
<html lang="en"><meta charset="utf-8"><title>unblur: before and after</title>
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<style>
body { font: 15px/1.4 sans-serif; margin: 1rem; color-scheme: light dark }
main { display: grid; grid-template-columns: repeat(auto-fill, minmax(20rem, 1fr)); gap: 1rem }
figure { margin: 0; padding: .5rem; border: 1px solid #8888; overflow-wrap: anywhere }
figure div { display: grid; grid-template-columns: 1fr 1fr; gap: .25rem; align-items: start }
img { width: 100%; display: block }
.failed { border-color: #c00 }
</style>
<h1>Before and after</h1>
<main>
"""
_END = b"</main>\n</html>\n"


class Gallery:
    """The page of a run, written whole when the run ends, also when a signal ended it.

    Pictures go to the disk as they come, so that memory does not depend on how many there are.

    Args:
        place: Name of the file.
        replaceable: `"anything"`: replace a file of that name; `"own"`: replace one that is an earlier gallery.
        limits: What reading one photo may cost.

    Raises:
        UsageError: A file of that name exists.
    """

    def __init__(self, place: str, replaceable: Replaceable, limits: Limits) -> None:
        self._place, self._limits = Path(place), limits
        is_own = replaceable == "own" and _is_gallery(self._place)
        if os.path.lexists(self._place) and replaceable != "anything" and not is_own:
            raise UsageError(f"the gallery {place} exists already; --overwrite replaces it")
        self._overwrite = replaceable == "anything" or is_own
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by __exit__
        self._file.write(_HEAD)

    def __enter__(self) -> Gallery:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._file as file, shielded():
            file.write(_END)
            file.flush()
            self._place.parent.mkdir(parents=True, exist_ok=True)
            page = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
            atomic_write(self._place, page, overwrite=self._overwrite, note=_MARK)

    def add(self, outcome: PhotoResult) -> None:
        """Add a photo with its restored version, or with the reason why there is none."""
        pictures = (self._picture(path, words) for path, words in _shown(outcome))
        entry = f'<figure class="{outcome.status}"><div>{"".join(pictures)}</div>{_caption(outcome)}</figure>\n'
        # A byte of a name that is no UTF-8 is written out as messages have it.
        self._file.write(entry.encode("utf-8", "backslashreplace"))

    def _picture(self, path: Path, words: str) -> str:
        try:
            address = _small_picture(read_image(path, limits=self._limits, allow_damaged=True))
        except (ImageError, OSError):  # the caption says what was wrong with it
            return ""
        target = quote(os.fsencode(os.path.relpath(path, self._place.parent)))
        return f'<a href="{target}"><img src="{address}" alt="{words}" title="{words}" loading="lazy"></a>'


def _is_gallery(path: Path) -> bool:
    note = read_note(path)
    return note is not None and note.is_unchanged and note.values == _MARK


def _shown(outcome: PhotoResult) -> list[tuple[Path, str]]:
    files = ((outcome.input, "before"), (outcome.output if outcome.status != "failed" else None, "after"))
    return [(path, words) for path, words in files if isinstance(path, Path)]


def _small_picture(picture: Picture) -> str:
    """A JPEG of the picture as an address that holds all of it."""
    # Every n-th pixel first: a large photo as floating point would be four times as large.
    every = max(1, max(picture.width, picture.height) // (4 * _SIDE))
    thinned = replace(picture, pixels=picture.pixels[::every, ::every])
    colours = np.round(255 * to_working(thinned)).astype(np.uint8)
    small = Image.fromarray(colours[..., 0] if colours.shape[2] == 1 else colours)
    small.thumbnail((_SIDE, _SIDE))
    pixels: Any = np.asarray(small).reshape(small.height, small.width, -1)
    profile = (
        picture.facts.icc if picture.space != "cmyk" and len(picture.facts.icc or b"") <= _LARGEST_PROFILE else None
    )
    facts = FileFacts(icc=profile)
    data, _ = encode_image(
        Picture(pixels, "grey" if pixels.shape[2] == 1 else "rgb", facts=facts), "jpeg", quality=_QUALITY
    )
    return f"data:image/jpeg;base64,{b64encode(data).decode()}"


def _caption(outcome: PhotoResult) -> str:
    """The photo's name, and in a line each what was found, what there is to say, and what went wrong."""
    kernel = outcome.kernel_size
    found = outcome.facts.get("found") or (f"kernel {kernel[0]}x{kernel[1]}" if kernel else "")
    lines = [f"{outcome.status}: {found}" if found else outcome.status, *outcome.warnings, outcome.error]
    shown = "".join(f"<br>{html.escape(line)}" for line in lines if line)
    return f"<figcaption><b>{html.escape(str(outcome.input or '-'))}</b>{shown}</figcaption>"
