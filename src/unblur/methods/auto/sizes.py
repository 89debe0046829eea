"""The sizes at which `auto` looks at a large photo: small first, its own size last.

The search and the judge have learned from photos of less than a megapixel, on which a shake is 5 to 75 pixels long.
On a photo of 12 megapixels the same shake has four times as many, and its sharpest edge is a slope of many pixels: no
kernel is found there, and predictions are wrong. At a quarter of its size it is a photo as any other.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import NamedTuple

from unblur.methods.auto.verdicts import Verdict, VerdictFinder
from unblur.methods.options import RestoreOptions
from unblur.methods.reduced_size import Size

__all__ = ["Look", "can_be_larger", "finer_of", "plan_looks"]

_LARGE = 450_000
"""Pixels up to which a photo is looked at as it is."""
_SMALL = 400_000
"""Pixels of the smallest size at most: half the sides, a quarter, and so on."""
_LEAST_SIDE = 128
"""No side of what is looked at becomes smaller."""
_FAMILIAR = 1_100_000
"""Pixels beyond which no blur is searched. What is not found on fewer is slight, and a sharp photo of many pixels is
often soft, as if it were blurred: four of twelve sharp photos of BSDS500, enlarged to 1.4 megapixels, were changed."""
_MOST = 4_000_000
"""Pixels beyond which nothing is restored unless the best effort is asked for: it takes minutes, and detail so fine is
not what is missed in a blurred photo."""
_LONGEST = 64.0
"""Extent in pixels up to which a blur that was found at a smaller size is removed at a larger one."""


class Look(NamedTuple):
    """One look at a photo.

    Attributes:
        size: At which.
        searches: Whether a blur is searched there; else what was found at a smaller size is looked at again.
    """

    size: Size
    searches: bool


def plan_looks(photo: Size, options: RestoreOptions) -> list[Look]:
    """All looks, each at twice the sides of the one before, up to the photo's own size if that is not too large.

    Args:
        photo: Its size.
        options: Where they name a region, its size decides how small a photo is looked at; the effort, how large.
    """
    seen = photo if options.region is None else Size(options.region.height, options.region.width)
    pixels = seen.height * seen.width
    shares, fewest = [1], _LARGE
    while pixels > fewest * shares[0] ** 2 and min(seen) >= 2 * shares[0] * _LEAST_SIDE:
        shares.insert(0, 2 * shares[0])
        fewest = _SMALL
    most = math.inf if options.effort == "best" else _MOST
    return [
        Look(Size(round(photo.height / n), round(photo.width / n)), n == shares[0] or pixels <= _FAMILIAR * n**2)
        for n in shares
        if n == shares[0] or photo.height * photo.width <= most * n**2
    ]


def can_be_larger(verdict: Verdict) -> bool:
    """Whether a blur that is sure may be removed at twice the size, which has more detail.

    Args:
        verdict: At this size.
    """
    return 2 * verdict.extent <= _LONGEST


def finer_of(verdict: Verdict, finer: Verdict, verdicts: VerdictFinder) -> Verdict:
    """What holds of the verdicts at one size and at twice that size: the latter, unless it is the less sure one.

    Args:
        verdict: At the smaller size.
        finer: At the larger one.
        verdicts: Knows what is sure.
    """
    if verdicts.is_sure(finer):
        return finer
    return verdict if verdicts.is_sure(verdict) else replace(finer, is_sharp=finer.is_sharp and verdict.is_sharp)
