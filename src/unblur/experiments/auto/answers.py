"""Answers of the kernel search to synthetic photos of all kinds: what the judge and the refiner of `auto` learn from.

Each sample is a file of its own, so that a run that was stopped goes on where it ended.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - the name that everyone gives it
from torch import Tensor

from unblur.blur.kernels import fit_box, trim_box
from unblur.datasets.image_files import read_arrays
from unblur.datasets.photo_kinds.blurs import shake, uniform
from unblur.datasets.photo_kinds.kinds import PhotoKind, make_photo
from unblur.datasets.photos import PhotoSet
from unblur.experiments.auto.processing import draw_processing
from unblur.experiments.auto.searched import Searched, checksum_of, pack_kernels, unpack_kernels
from unblur.images.tensors import brightness
from unblur.methods.auto.candidates import find_candidates, find_large_candidates
from unblur.methods.base import ignore_step
from unblur.methods.kernel_search.pyramid import HYPOTHESES
from unblur.methods.kernel_search.search import Candidate, Origin, search_again
from unblur.methods.kernel_search.settings import SearchSettings
from unblur.methods.options import BlurEncoding, RestoreOptions
from unblur.system.atomic import atomic_write, make_folder

__all__ = ["Answers", "draw_photo", "kind_of", "make_answers", "read_answer"]

_SCALES = (0.6, 2.2)
"""Photos are resized by a factor between these first, so that sharp is not one kind of sharpness."""
_LARGER = {"shake-31-75": 1.6}
"""Factors on the side of the photos of some kinds, so that they hold several of their kernels."""
_AGAIN = 3
"""So many of the searched kernels go through a second pass: those with the best scores, for here is no judge."""
_UNDER_SHAKE = {"blur": shake(5, 17)}
_PAGES: tuple[dict[str, Any], ...] = ({}, _UNDER_SHAKE, {}, {"scene": "codes", "blur": shake(9, 25)})
_SHARP: tuple[dict[str, Any], ...] = ({}, {"scene": "text"}, {}, {"scene": "codes"})
"""What is different about each page of text, and about each sharp photo, in turn; in the suite those move straight, and
these are photos."""
_IN_BOTH_ENCODINGS = 0.25
"""Share of the photos that are searched in encoded values, too, as photos of unknown origin are."""


@dataclass(frozen=True)
class Answers:
    """One photo and what the search found.

    Attributes:
        kind: Name of its kind.
        blurry: `(1, 3, H, W)` on 256 levels.
        sharp: The truth, the same shape.
        kernels: Kernels of all hypotheses `(n, 1, k, k)`; none where no search was possible.
        encodings: Where each blurs, `n` names.
        origins: How each was found, `n` words.
    """

    kind: str
    blurry: Tensor
    sharp: Tensor
    kernels: Tensor
    encodings: tuple[BlurEncoding, ...]
    origins: tuple[Origin, ...]

    def searched(self) -> Searched:
        """The answers without the photo."""
        return Searched(checksum_of(_bytes(self.blurry)), self.kernels, self.encodings, self.origins)

    def candidates(self) -> list[Candidate]:
        """All kernels as the judge is given them."""
        return (
            [
                Candidate(trim_box(kernel), encoding, origin)
                for kernel, encoding, origin in zip(self.kernels.split(1), self.encodings, self.origins, strict=True)
            ]
            if self.encodings
            else []
        )


def make_answers(
    folder: Path,
    photos: PhotoSet,
    kinds: dict[str, PhotoKind],
    numbers: Iterable[int],
    *,
    size: int,
    seed: int,
    searched: Mapping[str, Searched],
) -> Iterator[Path]:
    """Search the kernels of photos, kind after kind, and keep each answer as a file; those there are left out.

    Args:
        folder: Where they go, created if needed.
        photos: Sharp photos, taken in turn.
        kinds: The kinds, taken in turn.
        numbers: The samples; each is the same whichever others are made.
        size: Side of the photos in pixels.
        seed: Seed of all samples.
        searched: What was found before, by the stems of the files; taken where it was found on the same photo.
    """
    make_folder(folder)
    for number in numbers:
        place = folder / f"{number:05d}.npz"
        if not place.exists():
            name, kind = kind_of(number, kinds)
            generator = torch.Generator().manual_seed(seed * 1_000_003 + number)
            photo = draw_photo(photos, generator)
            drawn = int(uniform(0, 2**31, generator))
            both = uniform(0, 1, generator) < _IN_BOTH_ENCODINGS
            processing = draw_processing(generator)
            side = size * _LARGER.get(name, 1.0)
            pair = make_photo(photo, kind, drawn, size=round(side / processing.size)).pair
            blurry, sharp = processing.apply(pair.blurry, pair.sharp)
            known = searched.get(place.stem)
            found = known if known and known.photo == checksum_of(_bytes(blurry)) else _search(blurry, both=both)
            _write(place, Answers(name, blurry, sharp, found.kernels, found.encodings, found.origins))
            yield place


def kind_of(number: int, kinds: Mapping[str, PhotoKind]) -> tuple[str, PhotoKind]:
    """Name and kind of a sample: kind after kind; some pages are shaken or of codes, some sharp photos are pages."""
    names = list(kinds)
    turn, place = divmod(number, len(names))
    name = names[place]
    kind = kinds[name]
    if kind.scene == "text":
        return name, replace(kind, **_PAGES[turn % len(_PAGES)])
    return name, kind if kind.blur else replace(kind, **_SHARP[turn % len(_SHARP)])


def read_answer(path: Path) -> Answers:
    """One sample."""
    blurry, sharp, kernels, facts = read_arrays(path, ["blurry", "sharp", "kernels", "facts"])
    said: dict[str, Any] = json.loads(facts.astype(np.uint8).tobytes())
    images = [torch.from_numpy(image)[None].float() / 255 for image in (blurry, sharp)]
    encodings, origins = tuple(said["encodings"]), tuple(said["origins"])
    return Answers(said["kind"], images[0], images[1], unpack_kernels(kernels), encodings, origins)


def draw_photo(photos: PhotoSet, generator: torch.Generator) -> Tensor:
    """One of the photos, resized at random."""
    photo = photos[int(uniform(0, len(photos) - 1e-6, generator))]
    scale = uniform(*_SCALES, generator)
    return F.interpolate(photo, scale_factor=scale, mode="bicubic", antialias=True).clamp(0, 1)


def _search(blurry: Tensor, *, both: bool) -> Searched:
    grey, options = brightness(blurry), RestoreOptions()
    settings = SearchSettings(hypotheses=len(HYPOTHESES))
    encodings: tuple[BlurEncoding, ...] = ("linear", "encoded") if both else ("linear",)
    candidates: list[Candidate] = []
    with torch.no_grad():
        for encoding in encodings:
            found = [
                one
                for find in (find_candidates, find_large_candidates)
                for one in find(grey, encoding, options, settings, ignore_step).candidates
            ]
            searched = sorted((one for one in found if one.origin == "search"), key=lambda one: one.score)
            again = search_again(grey, searched[:_AGAIN], settings, options, ignore_step) if searched else []
            candidates += (*found, *again)
    side = max((one.kernel.shape[-1] for one in candidates), default=3)
    kernels = [fit_box(one.kernel, side) for one in candidates]
    return Searched(
        checksum_of(_bytes(blurry)),
        torch.cat(kernels) if kernels else torch.zeros(0, 1, side, side),
        tuple(one.encoding for one in candidates),
        tuple(one.origin for one in candidates),
    )


def _write(place: Path, answers: Answers) -> None:
    from io import BytesIO  # noqa: PLC0415

    facts = {
        "kind": answers.kind,
        "encodings": answers.encodings,
        "origins": answers.origins,
    }
    file = BytesIO()
    np.savez_compressed(
        file,
        blurry=_bytes(answers.blurry),
        sharp=_bytes(answers.sharp),
        kernels=pack_kernels(answers.kernels),
        facts=np.frombuffer(json.dumps(facts).encode(), np.uint8),
    )
    atomic_write(place, file.getvalue(), overwrite=True)


def _bytes(image: Tensor) -> np.ndarray[Any, Any]:
    return (image[0] * 255).round().clamp(0, 255).byte().numpy()
