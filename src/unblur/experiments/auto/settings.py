"""Settings of the experiments with `auto`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from unblur.experiments.settings import check_at_least

__all__ = ["JudgeSettings", "RefinerSettings"]


@dataclass(frozen=True)
class JudgeSettings:
    """Settings of `auto-judge`."""

    folder: Annotated[str, "Folder that the answers are kept in; what lies there is not made again."] = "runs/answers"
    count: Annotated[int, "Synthetic photos of BSDS500 train to learn from."] = 1600
    held_out: Annotated[int, "Synthetic photos of BSDS500 val to test on."] = 400
    size: Annotated[int, "Side of the photos in pixels."] = 240
    steps: Annotated[int, "Steps of the training."] = 1000

    def __post_init__(self) -> None:
        check_at_least(self, 1, "count", "held_out", "steps")
        check_at_least(self, 96, "size")


@dataclass(frozen=True)
class RefinerSettings:
    """Settings of `auto-refiner`."""

    folder: Annotated[str, "Folder of the answers of `auto-judge`; the weights are written there, too."] = (
        "runs/answers"
    )
    minutes: Annotated[float, "How long it learns; the learning rate falls to nothing in this time."] = 60.0
    least_gain: Annotated[
        float, "Answers that gain less, in dB, are left out: such are refused, so nobody refines them."
    ] = -1.0
    start: Annotated[str, "Weights to start from (refiner.pt of a run before); empty: random ones."] = ""

    def __post_init__(self) -> None:
        check_at_least(self, 0.001, "minutes")
