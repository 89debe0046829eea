"""Settings of the experiments with published networks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from unblur.experiments.settings import check_at_least, split_numbers

__all__ = ["FrameSettings", "NetworkSettings", "TileSettings"]


@dataclass(frozen=True)
class NetworkSettings:
    """Settings that all of them share."""

    method: Annotated[str, "Method that restores."] = "maxim"
    weights: Annotated[str, "Its weights: a file or a name; empty: its own, or those that were downloaded for it."] = ""


@dataclass(frozen=True)
class FrameSettings(NetworkSettings):
    """Settings of `network-frames`."""

    frames: Annotated[str, "Folder of consecutive frames, below the folder of the data sets."] = (
        "frames/gopro240_GOPR0477_11_00_crop"
    )
    counts: Annotated[str, "Frames averaged for each pair, separated by commas."] = "9,13,17,21,25,29,33,15"
    step: Annotated[int, "Frames from the start of one pair to that of the next."] = 4
    crop: Annotated[int, "Side in pixels of the central crop; 0: whole frames."] = 0

    def __post_init__(self) -> None:
        split_numbers(self.counts, "counts")
        check_at_least(self, 0, "step", "crop")


@dataclass(frozen=True)
class TileSettings(NetworkSettings):
    """Settings of `network-tiles`."""

    photos: Annotated[int, "Number of Kodak photos, spread evenly over the set."] = 5
    side: Annotated[int, "Side of the photos in pixels, to which they are enlarged."] = 1024
    tile: Annotated[int, "Side of the tiles in pixels; 0: that of the method."] = 512

    def __post_init__(self) -> None:
        check_at_least(self, 1, "photos")
        check_at_least(self, 64, "side")
