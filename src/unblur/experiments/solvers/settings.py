"""Settings of the experiments with solvers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from unblur.experiments.settings import check_at_least

__all__ = ["PeerSettings"]


@dataclass(frozen=True)
class PeerSettings:
    """Settings of `solver-peers`."""

    suite: Annotated[str, "Data set of pairs with true kernels."] = "levin"
    limit: Annotated[int, "Number of pairs, spread evenly; 0: all."] = 0
    repeats: Annotated[int, "Times each solver restores a pair; the median of its seconds counts."] = 3

    def __post_init__(self) -> None:
        check_at_least(self, 0, "limit")
        check_at_least(self, 1, "repeats")
