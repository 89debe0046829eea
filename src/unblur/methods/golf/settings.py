"""The numbers of the Golf Optimizer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from unblur.errors import SettingsError

__all__ = ["GolfSettings"]


@dataclass(frozen=True)
class GolfSettings:
    """Settings of the method `golf`; see docs/golf.md."""

    iters: Annotated[int, "How often the second network is applied after the first, 0 to 20."] = 3
    precision: Annotated[
        Literal["auto", "float32", "bfloat16"],
        "Numbers inside the networks; auto takes bfloat16 where the processor computes with them.",
    ] = "auto"
    whole: Annotated[float, "Photos of up to so many megapixels are restored in one piece, larger ones in tiles."] = 4.0
    tile: Annotated[int, "Side of the tiles in pixels, at least 64."] = 1024

    def __post_init__(self) -> None:
        if not 0 <= self.iters <= 20:
            raise SettingsError(f"iters takes a number from 0 to 20, not {self.iters}")
        if not self.whole >= 0:
            raise SettingsError(f"whole takes a number from 0 up, not {self.whole:g}")
        if self.tile < 64:
            raise SettingsError(f"tile takes a number from 64 up, not {self.tile}")
