"""Settings of the experiments with SelfDeblur's weak supervision."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from unblur.errors import SettingsError

__all__ = ["AblationSettings"]


@dataclass(frozen=True)
class AblationSettings:
    """Which pairs, which teachers, how long."""

    suite: Annotated[str, "Data set of the pairs."] = "levin"
    limit: Annotated[int, "Pairs, spread evenly over the set; 0: all."] = 0
    crop: Annotated[int, "Side in pixels of the middle of each pair that is used; 0: all of it."] = 0
    teachers: Annotated[str, "Teachers, with commas between; oracle knows the truth."] = "map,identity,oracle"
    weights: Annotated[str, "Weights of the teachers that are networks; empty: their own."] = ""
    preset: Annotated[Literal["full", "fast", "warm", "smoke"], "How long each photo is fitted."] = "full"
    seeds: Annotated[int, "Runs of each pair, with other random numbers."] = 1
    data: Annotated[str, "Folder of the data sets; empty: as UNBLUR_DATA says."] = ""

    def __post_init__(self) -> None:
        for name, least in (("limit", 0), ("crop", 0), ("seeds", 1)):
            if getattr(self, name) < least:
                raise SettingsError(f"{name} takes a number from {least} up, not {getattr(self, name)}")
