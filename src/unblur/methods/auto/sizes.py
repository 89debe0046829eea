"""The sizes at which `auto` looks at a large photo: small first, its own size last.

The search and the judge have learned from photos of less than a megapixel, on which a shake is 5 to 75 pixels long.
On a photo of 12 megapixels the same shake has four times as many, and its sharpest edge is a slope of many pixels: no
kernel is found there, and predictions are wrong. At a quarter of its size it is a photo as any other.
"""

from __future__ import annotations

from dataclasses import replace

from unblur.methods.auto.verdicts import Verdict, VerdictFinder
from unblur.methods.options import RestoreOptions
from unblur.methods.reduced_size import Size

__all__ = ["can_be_larger", "finer_of", "plan_sizes"]

_LARGE = 450_000
"""Pixels up to which a photo is looked at as it is."""
_SMALL = 400_000
"""Pixels of the smallest size at most: half the sides, a quarter, and so on."""
_LEAST_SIDE = 128
"""No side of what is looked at becomes smaller."""
_FAMILIAR = 1_100_000
"""Pixels up to which the predictions of a large blur are as good as at a smaller size."""
_SLIGHT = 16.0
"""Extent in pixels up to which a blur may be too slight to be found at half the size."""
_LONGEST = 64.0
"""Extent in pixels up to which a blur that was found at a smaller size is removed at a larger one."""


def plan_sizes(photo: Size, options: RestoreOptions) -> list[Size]:
    """The sizes to look at, each with twice the sides of the one before; the last is the photo's own.

    Args:
        photo: Its size.
        options: Where they name a region, its size decides.
    """
    seen = photo if options.region is None else Size(options.region.height, options.region.width)
    pixels, sizes, share = seen.height * seen.width, [photo], 1
    while pixels > (_SMALL if share > 1 else _LARGE) * share**2 and min(seen) >= 2 * share * _LEAST_SIDE:
        share *= 2
        sizes.insert(0, Size(round(photo.height / share), round(photo.width / share)))
    return sizes


def can_be_larger(verdict: Verdict) -> bool:
    """Whether a blur that is sure may be removed at twice the size, which has more detail.

    Args:
        verdict: At this size.
    """
    return 2 * verdict.extent <= _LONGEST


def finer_of(verdict: Verdict, finer: Verdict, verdicts: VerdictFinder) -> Verdict:
    """What holds of the verdicts at one size and at twice that size.

    A large blur that is sure only at the larger size needs a better prediction if that size is beyond what the judge
    knows: at the smaller one it had been easier to find.

    Args:
        verdict: At the smaller size.
        finer: At the larger one.
        verdicts: Knows what is sure.
    """
    if verdicts.is_sure(finer):
        gain, spread = finer.prediction
        is_doubtful = gain < spread and finer.extent > _SLIGHT and not _is_familiar(finer.size)
        return verdict if is_doubtful and not verdicts.is_sure(verdict) else finer
    return verdict if verdicts.is_sure(verdict) else replace(finer, is_sharp=finer.is_sharp and verdict.is_sharp)


def _is_familiar(size: Size | None) -> bool:
    return size is None or size.height * size.width <= _FAMILIAR
