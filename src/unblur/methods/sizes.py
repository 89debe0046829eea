"""The sizes at which a large photo is looked at: small first, its own size last.

Searches have learned from photos of less than a megapixel, on which a shake is 5 to 75 pixels long. On a photo of 12
megapixels the same shake has four times as many, and its sharpest edge is a slope of many pixels: no kernel is found
there. At a quarter of its size it is a photo as any other.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Protocol, TypeVar

from unblur.images.large import Image
from unblur.methods.base import StepHook, ignore_step, steps_of_part
from unblur.methods.options import RestoreOptions
from unblur.methods.reduced_size import Size, options_at, size_of, steps_at
from unblur.methods.transforms import resample

__all__ = [
    "JUDGED_SIZES",
    "MEGAPIXEL_SIZES",
    "SHORT_BLUR_SIZES",
    "Look",
    "Looker",
    "SizePlan",
    "look_by_size",
    "plan_looks",
]

T = TypeVar("T")

_LEAST_SIDE = 128
"""No side of what is looked at becomes smaller."""
_LONGEST = 64.0
"""Extent in pixels up to which a blur that was found at a smaller size is removed at a larger one."""


@dataclass(frozen=True)
class SizePlan:
    """Numbers of pixels that decide at which sizes a photo is looked at.

    Attributes:
        large: Up to so many it is looked at as it is.
        small: Those of the smallest size, at most: half the sides of the photo, a quarter, and so on.
        searched: Beyond so many no blur is searched unless there is no smaller size; what was found is looked at again.
        restored: Beyond so many nothing is looked at unless the best effort is asked for: it takes minutes, and detail
            so fine is not what is missed in a blurred photo.
    """

    large: int
    small: int
    searched: float = math.inf
    restored: float = math.inf


MEGAPIXEL_SIZES = SizePlan(large=800_000, small=800_000)
"""For methods without a judge: as large as their numbers were chosen for, and up to the photo's own size."""
JUDGED_SIZES = SizePlan(large=450_000, small=400_000, searched=1_100_000, restored=4_000_000)
"""For `auto`. What is not found on 1.1 megapixels is slight, and a sharp photo of many pixels is often soft, as if it
were blurred: four of twelve sharp photos of BSDS500, enlarged to 1.4 megapixels, were changed."""
SHORT_BLUR_SIZES = replace(JUDGED_SIZES, large=1_100_000)
"""For `auto` where the blur is short: the search sees a part of the photo, which need not be small for that."""


class Look(NamedTuple):
    """One look at a photo.

    Attributes:
        size: At which.
        searches: Whether a blur is searched there; else what was found at a smaller size is looked at again.
    """

    size: Size
    searches: bool


class Looker(Protocol[T]):
    """What searches the blur of a photo, at any size."""

    def find(self, blurry: Any, options: RestoreOptions, on_step: StepHook = ignore_step) -> T:
        """What is found in a photo `(1, C, H, W)`, sRGB-encoded, in [0, 1]; options are for its size.

        The photo is a tensor, or at its own size a `LargePhoto` if that is what is looked at.
        """
        ...

    def find_again(
        self, found: T, size: Size, blurry: Any, options: RestoreOptions, on_step: StepHook = ignore_step
    ) -> T:
        """What becomes of what was found at some size, in the photo at a larger one, which the options are for."""
        ...

    def is_sure(self, found: T) -> bool:
        """Whether a blur was found that can be removed."""
        ...

    def extent_of(self, found: T) -> float:
        """Length in pixels of a straight motion that is spread as far as the kernel."""
        ...

    def join_unsure(self, found: T, finer: T) -> T:
        """What holds where nothing is sure at one size nor at the next larger one."""
        ...


def plan_looks(photo: Size, plan: SizePlan, options: RestoreOptions) -> list[Look]:
    """All looks, each at twice the sides of the one before, up to the photo's own size if that is not too large.

    Args:
        photo: Its size.
        plan: Numbers of pixels.
        options: Where they name a region, its size decides how small a photo is looked at; the effort, how large.
    """
    seen = photo if options.region is None else Size(options.region.height, options.region.width)
    pixels = seen.height * seen.width
    shares, fewest = [1], plan.large
    while pixels > fewest * shares[0] ** 2 and min(seen) >= 2 * shares[0] * _LEAST_SIDE:
        shares.insert(0, 2 * shares[0])
        fewest = plan.small
    is_limited = plan.restored < math.inf and options.effort != "best"
    most = plan.restored if is_limited else math.inf
    return [
        Look(
            Size(round(photo.height / n), round(photo.width / n)),
            n == shares[0] or pixels <= plan.searched * n**2,
        )
        for n in shares
        if n == shares[0] or photo.height * photo.width <= most * n**2
    ]


def look_by_size(
    blurry: Image, plan: SizePlan, looker: Looker[T], options: RestoreOptions, on_step: StepHook = ignore_step
) -> tuple[T, Size]:
    """What is found in a photo at the size that suits its blur, and that size: small ones first, larger until it is.

    A blur that is sure is looked at again at twice the size, which has more detail, unless it is long there.

    Args:
        blurry: `(1, C, H, W)`, sRGB-encoded, in [0, 1].
        plan: Numbers of pixels.
        looker: Searches.
        options: For the photo at its own size.
        on_step: Progress and cancel.
    """
    photo = size_of(blurry)
    looks = plan_looks(photo, plan, options)

    def look_at(number: int, before: tuple[T, Size] | None) -> T:
        size = looks[number].size
        small = blurry if size == photo else resample(blurry, size).clamp(0, 1)
        limited = options_at(size, photo, options)
        hook = steps_at(size, photo, steps_of_part(on_step, number, len(looks)))
        return looker.find(small, limited, hook) if before is None else looker.find_again(*before, small, limited, hook)

    found, size = look_at(0, None), looks[0].size
    for number, look in enumerate(looks[1:], start=1):
        is_sure = looker.is_sure(found)
        # A doubt at twice the size does not end it: at four times it may be found again.
        if not (2 * looker.extent_of(found) <= _LONGEST if is_sure else look.searches):
            break
        finer = look_at(number, (found, size) if is_sure else None)
        if looker.is_sure(finer):
            found, size = finer, look.size
        elif not is_sure:
            found, size = looker.join_unsure(found, finer), look.size
    return found, size
