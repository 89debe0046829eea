"""Settings of DUBLID's experiments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

__all__ = ["CombinationSettings"]


@dataclass(frozen=True)
class CombinationSettings:
    """Settings of `dublid-combinations`."""

    suites: Annotated[str, "Data sets, separated by commas."] = "levin,dublid-bsds"
    limit: Annotated[int, "Number of pairs of each set, spread evenly; 0: all."] = 0
    weights: Annotated[str, "Weights of DUBLID, by name or file; empty: those trained for the blur of each set."] = ""
    data: Annotated[str, "Folder of the data sets; empty: that of UNBLUR_DATA."] = ""
