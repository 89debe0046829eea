"""Settings of the experiments with DUBLID."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

__all__ = ["CombinationSettings"]


@dataclass(frozen=True)
class CombinationSettings:
    """How many pairs of which sets, and with which weights."""

    suites: Annotated[str, "Data sets, with commas between."] = "levin,dublid-bsds"
    limit: Annotated[int, "Pairs of each set, spread evenly; 0: all."] = 0
    weights: Annotated[str, "Weights of DUBLID, a name or a file; empty: those that suit each set."] = ""
    data: Annotated[str, "Folder of the data sets; empty: as UNBLUR_DATA says."] = ""
