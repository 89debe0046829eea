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
    polish: Annotated[
        bool,
        "Whether a short search on the photo polishes the network's kernel, and a line replaces it where it nearly is "
        "one; beyond the paper, and not with final=retrieval.",
    ] = True
    smoothness: Annotated[
        float,
        "Of the solver's image: 1 suits the noise of the photo, higher is smoother; 0: 1 for a polished kernel, 2 for "
        "the network's own.",
    ] = 0.0
    pixels: Annotated[
        int,
        "The network looks at a part of about so many pixels, that with most edges; 0: 28,000 for a kernel that is "
        "polished, 300,000 for one that is not.",
    ] = 0
    levels: Annotated[int, "How often the photo may be halved for a blur that does not fit into the kernel's box."] = 3

    def __post_init__(self) -> None:
        if self.pixels < 0:
            raise SettingsError(f"pixels takes a number from 0 up, not {self.pixels}")
        if not 0 <= self.smoothness < float("inf"):
            raise SettingsError(f"smoothness takes a number from 0 up, not {self.smoothness:g}")
        if self.levels < 0:
            raise SettingsError(f"levels takes a number from 0 up, not {self.levels}")

    @property
    def polishes(self) -> bool:
        """Whether kernels are polished; the network's own image belongs to its own kernel."""
        return self.polish and self.final == "solver"

    @property
    def pixels_seen(self) -> int:
        """Pixels of the part that a network looks at. Kernels that are polished are as good found on few."""
        return self.pixels or (28_000 if self.polishes else 300_000)

    @property
    def solver_smoothness(self) -> float:
        """Smoothness of the solver's image: the softer kernel of a network rings."""
        return self.smoothness or (1.0 if self.polishes else 2.0)
