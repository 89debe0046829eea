"""Settings of the experiments on bursts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from unblur.experiments.settings import check_at_least

__all__ = ["GainSettings"]


@dataclass(frozen=True)
class GainSettings:
    """Settings of `burst-gain`."""

    bursts: Annotated[int, "Number of bursts, each of another Kodak photo, spread evenly over the set."] = 12
    photos: Annotated[int, "Photos of a burst."] = 3
    kinds: Annotated[str, "Kinds of blur of the suite photos, which bursts get in turn, separated by commas."] = (
        "shake-5-15,shake-15-31"
    )
    shift: Annotated[int, "Largest shift of a photo along each axis, in pixels."] = 20
    seed: Annotated[int, "Seed of all bursts."] = 0
    method: Annotated[str, "Method that restores."] = "auto"
    crop: Annotated[int, "Side in pixels of the part of each photo that is used; 0: all of it."] = 0

    def __post_init__(self) -> None:
        check_at_least(self, 1, "bursts")
        check_at_least(self, 2, "photos")
        check_at_least(self, 0, "shift", "seed", "crop")
