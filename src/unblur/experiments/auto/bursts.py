"""What the refiner of `auto` learns from bursts: the one image of several photos, beside each of them and the truth."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - the name that everyone gives it
from torch import Tensor

from unblur.datasets.photo_kinds.blurs import uniform
from unblur.datasets.photo_kinds.bursts import make_burst
from unblur.datasets.photo_kinds.kinds import PhotoKind
from unblur.datasets.photos import PhotoSet
from unblur.datasets.sampling import random_crop
from unblur.experiments.auto.answers import draw_photo
from unblur.experiments.auto.examples import Example, example_seen, gain_of, moved_truth
from unblur.methods.auto.improvement import SOLVER
from unblur.methods.base import StepHook, ignore_step
from unblur.methods.burst.method import Burst
from unblur.methods.classical_map.method import ClassicalMap
from unblur.methods.classical_map.settings import MapSettings
from unblur.methods.kernel_method import BlurEstimate, Solving
from unblur.methods.kernel_search.search import Candidate
from unblur.methods.options import BlurEncoding, RestoreOptions

__all__ = ["burst_examples"]

_KINDS = ("shake-5-15", "shake-15-31")
_SEED = 23
_PHOTOS = 3
_SHIFT = 8
_TRIES = 4
"""So many bursts are made for one that is asked for, at most."""


def burst_examples(
    photos: PhotoSet, kinds: Mapping[str, PhotoKind], *, count: int, size: int, seed: int = _SEED
) -> Iterator[Example]:
    """One example for each photo of the bursts, whose kernels `map` and the method of bursts found.

    Bursts of which the first photo is not used, or which gain nothing, are passed over; so there may be fewer.

    Args:
        photos: Sharp photos, drawn at random.
        kinds: Those of the suite, of which shaken ones are taken.
        count: How many examples.
        size: Side of the photos in pixels.
        seed: Seed of all.
    """
    numbers = range(_TRIES * count)
    return islice((one for number in numbers for one in _of_burst(photos, kinds, number, size, seed)), count)


def _of_burst(photos: PhotoSet, kinds: Mapping[str, PhotoKind], number: int, size: int, seed: int) -> Sequence[Example]:
    generator = torch.Generator().manual_seed(seed * 1_000_003 + number)
    photo, name = draw_photo(photos, generator), _KINDS[number % len(_KINDS)]
    part = random_crop([_at_least(photo, size + 2 * _SHIFT)], size + 2 * _SHIFT, generator)[0]
    drawn = int(uniform(0, 2**31, generator))
    burst = [one.pair for one in make_burst(part, kinds[name], drawn, count=_PHOTOS, shift=_SHIFT)]
    method = _Recorder()
    first, *others = [pair.blurry for pair in burst]
    Burst(method, others).restore(first, RestoreOptions(encoding="linear"))
    seen = method.seen
    if seen is None or len(seen.kernels) < 2 or not torch.equal(seen.photos[:1], first):
        return []
    truth = burst[0].sharp
    gain = gain_of(seen.answer, first, truth)
    if gain <= 0:
        return []
    moved = moved_truth(truth, seen.answer)
    return [
        example_seen(name, seen.answer, shot, moved, candidate=Candidate(kernel, seen.encoding), gain=gain)
        for shot, kernel in zip(seen.photos.split(1), seen.kernels.split(1), strict=True)
    ]


def _at_least(photo: Tensor, side: int) -> Tensor:
    """The photo, enlarged where it is smaller."""
    factor = side / min(photo.shape[-2:])
    if factor <= 1:
        return photo
    size = [math.ceil(factor * length) for length in photo.shape[-2:]]
    return F.interpolate(photo, size=size, mode="bicubic", antialias=True).clamp(0, 1)


@dataclass(frozen=True)
class _Seen:
    """What a refiner would be given of a burst: see `BlurEstimate.improve`."""

    photos: Tensor
    kernels: Tensor
    encoding: BlurEncoding
    answer: Tensor


class _Recorder(ClassicalMap):
    """`map` with a refiner that changes nothing and keeps what it was given last."""

    def __init__(self) -> None:
        super().__init__(MapSettings())
        self.seen: _Seen | None = None

    def solving(self, options: RestoreOptions) -> Solving:
        """As `auto` solves."""
        del options
        return Solving(SOLVER)

    def estimate_all(
        self, photos: Sequence[Any], options: RestoreOptions, on_step: StepHook = ignore_step
    ) -> list[BlurEstimate]:
        """Each with the recorder as its refiner."""
        return [replace(one, improve=self._keep) for one in super().estimate_all(photos, options, on_step)]

    def _keep(
        self, photos: Tensor, kernels: Tensor, encoding: BlurEncoding, answer: Tensor, known: Tensor | None
    ) -> Tensor:
        del known
        self.seen = _Seen(photos, kernels, encoding, answer.clamp(0, 1))
        return answer
