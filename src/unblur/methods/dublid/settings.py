"""The numbers of DUBLID."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from unblur.errors import SettingsError

__all__ = ["DublidSettings"]


@dataclass(frozen=True)
class DublidSettings:
    """Settings of the method `dublid`."""

    final: Annotated[
        Literal["solver", "retrieval"],
        "Where the sharp image comes from: the hyper-Laplacian solver with the kernel found, or the network itself.",
    ] = "solver"
    smoothness: Annotated[float, "Of the solver's image: 1 suits the noise of the photo, higher is smoother."] = 2.0
    pixels: Annotated[int, "The kernel is looked for on a part of about so many pixels, that with most edges."] = (
        300_000
    )
    levels: Annotated[int, "How often the photo may be halved for a blur that does not fit into the kernel's box."] = 3

    def __post_init__(self) -> None:
        if self.pixels < 1:
            raise SettingsError(f"pixels takes a number from 1 up, not {self.pixels}")
        if not 0 < self.smoothness < float("inf"):
            raise SettingsError(f"smoothness takes a number above 0, not {self.smoothness:g}")
        if self.levels < 0:
            raise SettingsError(f"levels takes a number from 0 up, not {self.levels}")
