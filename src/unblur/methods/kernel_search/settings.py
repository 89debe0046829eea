"""The numbers of the kernel search."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from unblur.errors import SettingsError

__all__ = ["SearchSettings"]


@dataclass(frozen=True)
class SearchSettings:
    """Settings of the kernel search; all were chosen on synthetic photos, see docs/map.md."""

    prior: Annotated[
        Literal["l0", "tv", "l1l2", "dark-channel", "extreme-channels", "two-tones"],
        "What a sharp image looks like while the kernel is searched.",
    ] = "l0"
    hypotheses: Annotated[int, "How many ways to go about the photo are tried, 1 to 4; the best answer is kept."] = 2
    rivals: Annotated[
        bool,
        "Whether each way is tried once more with kernels whose light is spread, and all kernels go through the second "
        "pass, not the best alone; three times the time.",
    ] = False
    first_box: Annotated[int, "Side in pixels of the box that the kernel is first searched in; it grows."] = 31
    largest_box: Annotated[int, "Side in pixels beyond which the box does not grow."] = 127
    rounds: Annotated[int, "Rounds of latent image and kernel on each level of the pyramid."] = 5
    pixels: Annotated[int, "Each level looks at no more than about so many pixels."] = 120_000

    def __post_init__(self) -> None:
        if not 1 <= self.hypotheses <= 4:
            raise SettingsError(f"hypotheses takes a number from 1 to 4, not {self.hypotheses}")
        for name, side in (("first_box", self.first_box), ("largest_box", self.largest_box)):
            if side < 3 or side % 2 == 0:
                raise SettingsError(f"{name} takes an odd number from 3 up, not {side}")
        for name, count in (("rounds", self.rounds), ("pixels", self.pixels)):
            if count < 1:
                raise SettingsError(f"{name} takes a number from 1 up, not {count}")
