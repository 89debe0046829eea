"""Settings of the experiments with `auto`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from unblur.errors import SettingsError
from unblur.experiments.settings import check_at_least

__all__ = ["AnswerSettings", "JudgeSettings", "RefinerSettings"]


@dataclass(frozen=True)
class AnswerSettings:
    """Which answers of the kernel search are made and learned from."""

    folder: Annotated[
        str, "Folder of answers and trained networks; answers that lie there already are not made again."
    ] = "runs/answers"
    count: Annotated[int, "Synthetic photos of BSDS500 train to learn from."] = 1600
    held_out: Annotated[int, "Synthetic photos of BSDS500 val to test on."] = 400
    size: Annotated[int, "Side of the photos in pixels."] = 240
    searched: Annotated[
        str, "Kernels that were searched before (searched.npz of a folder): these photos need no search; empty: none."
    ] = ""
    only_searched: Annotated[bool, "Make the answers of `searched` alone, however many they are."] = False

    def __post_init__(self) -> None:
        check_at_least(self, 1, "count", "held_out")
        if self.only_searched and not self.searched:
            raise SettingsError("only_searched needs a file of kernels: --set searched=FILE")
        check_at_least(self, 96, "size")


@dataclass(frozen=True)
class JudgeSettings(AnswerSettings):
    """Settings of `auto-judge`."""

    steps: Annotated[int, "Steps of the first judge's training; 0: it stays as it starts."] = 1000
    second_steps: Annotated[int, "Steps of the second judge's training."] = 900
    second_from: Annotated[
        int, "Number of the photo from which on photos are for the second judge; the first learns from those before."
    ] = 1100
    rate: Annotated[float, "Learning rate of the first step; it falls to nothing."] = 3e-3
    start: Annotated[str, "Judge to start from: judge.pt of a run before, or shipped; empty: random weights."] = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_at_least(self, 0, "steps")
        check_at_least(self, 1, "second_steps", "second_from")
        if self.steps == 0 and not self.start:
            raise SettingsError("steps=0 keeps the judge as it starts, so it needs one: --set start=shipped")


@dataclass(frozen=True)
class RefinerSettings(AnswerSettings):
    """Settings of `auto-refiner`."""

    minutes: Annotated[float, "How long it learns; the learning rate falls to nothing in this time."] = 60.0
    least_gain: Annotated[
        float, "Answers that gain less, in dB, are left out: such are refused, so nobody refines them."
    ] = -1.0
    start: Annotated[str, "Weights to start from: refiner.pt of a run before, or shipped; empty: random ones."] = ""
    rate: Annotated[float, "Learning rate after the first steps."] = 1e-3
    known: Annotated[int, "Photos to learn from besides, deconvolved with their true kernels."] = 480
    of_bursts: Annotated[int, "Photos of bursts to learn from besides, each beside the one image of its burst."] = 300

    def __post_init__(self) -> None:
        super().__post_init__()
        check_at_least(self, 0.001, "minutes")
        check_at_least(self, 0, "known", "of_bursts")
