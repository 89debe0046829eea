"""The numbers of blind MAP deblurring."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from unblur.errors import SettingsError
from unblur.methods.settings import Choices
from unblur.solvers.names import DEFAULT_SOLVER, SOLVER_NAMES

__all__ = ["MapSettings"]


@dataclass(frozen=True)
class MapSettings:
    """Settings of the method `map`; all were chosen on synthetic photos, see docs/map.md."""

    prior: Annotated[
        Literal["l0", "tv", "l1l2", "dark-channel", "extreme-channels"],
        "What a sharp image looks like while the kernel is searched.",
    ] = "l0"
    hypotheses: Annotated[int, "How many ways to go about the photo are tried, 1 to 4; the best answer is kept."] = 4
    first_box: Annotated[int, "Side in pixels of the box that the kernel is first searched in; it grows."] = 31
    largest_box: Annotated[int, "Side in pixels beyond which the box does not grow."] = 127
    rounds: Annotated[int, "Rounds of latent image and kernel on each level of the pyramid."] = 5
    pixels: Annotated[int, "Each level looks at no more than about so many pixels."] = 120_000
    solver: Annotated[str, "How the final image is deconvolved.", Choices(SOLVER_NAMES)] = DEFAULT_SOLVER
    smoothness: Annotated[float, "Of the final image: 1 suits the noise of the photo, higher is smoother."] = 1.0

    def __post_init__(self) -> None:
        if not 1 <= self.hypotheses <= 4:
            raise SettingsError(f"hypotheses takes a number from 1 to 4, not {self.hypotheses}")
        for name, side in (("first_box", self.first_box), ("largest_box", self.largest_box)):
            if side < 3 or side % 2 == 0:
                raise SettingsError(f"{name} takes an odd number from 3 up, not {side}")
        for name, count in (("rounds", self.rounds), ("pixels", self.pixels)):
            if count < 1:
                raise SettingsError(f"{name} takes a number from 1 up, not {count}")
        if not 0 < self.smoothness < float("inf"):
            raise SettingsError(f"smoothness takes a number above 0, not {self.smoothness:g}")
