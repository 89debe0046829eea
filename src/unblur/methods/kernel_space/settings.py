"""The numbers of blind deblurring with a space of blurs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from unblur.errors import SettingsError
from unblur.methods.catalog import teacher_names
from unblur.methods.optimisation.settings import check_run, check_teacher
from unblur.methods.settings import FILE_NAME, Choices

__all__ = ["KernelSpaceSettings"]

_FEWEST_PIXELS = 64 * 64


def _teachers() -> tuple[str, ...]:
    return ("auto", *teacher_names())


@dataclass(frozen=True)
class KernelSpaceSettings:
    """Settings of the method `kernel-space`; see docs/kernel_space.md."""

    preset: Annotated[
        Literal["full", "fast", "smoke"],
        "Steps, rates and width: full as published, fast in 60 steps with a narrower network, smoke to see it run.",
    ] = "fast"
    steps: Annotated[int, "Most steps; 0: as the preset says. Rates fall at the same shares of the run."] = 0
    width: Annotated[int, "Channels of the image network; 0: as the preset says."] = 0
    teacher: Annotated[
        str,
        "Method with whose answer the fit begins, and with the code between it and the photo; identity or none: the "
        "photo itself and the code of a common blur; auto: as the preset says.",
        Choices(_teachers),
    ] = "auto"
    teacher_weights: Annotated[str, "Weights of the teacher, a file or a name; empty: its own.", FILE_NAME] = ""
    hold: Annotated[float, "Share of the run in which the code stays where it began; -1: as the preset says."] = -1.0
    warm_steps: Annotated[
        int,
        "Steps in which the networks learn the image and the code to begin with, where they do not begin there by "
        "themselves; -1: as the preset says.",
    ] = -1
    turns: Annotated[
        Literal["joint", "alternating"], "Image and code learn in the same step, or in turns as the paper writes it."
    ] = "joint"
    features: Annotated[
        str, "File with the weights of VGG-19, in whose features photos are compared; empty: in pixels and edges."
    ] = ""
    image: Annotated[
        Literal["network", "free"], "What holds the image: an untrained network, or numbers without a prior."
    ] = "network"
    code: Annotated[
        Literal["network", "free"], "What holds the code of the blur: an untrained network, or free numbers."
    ] = "network"
    edges: Annotated[float, "Multiplies the preset's weight of the sparse-edges prior on the image."] = 1.0
    norm: Annotated[float, "Multiplies the published weight of the norm of the code."] = 1.0
    stop: Annotated[
        Literal["never", "plateau", "variance"],
        "When to end early: nothing improves, or the image begins to change again.",
    ] = "never"
    patience: Annotated[int, "Of the rule variance: checks in a row, of 500 in a run."] = 20
    iterate: Annotated[
        Literal["average", "best", "last"], "Which step answers: a running mean of all, the best fit, or the last."
    ] = "average"
    precision: Annotated[
        Literal["auto", "float32", "bfloat16"],
        "Numbers inside the networks; auto takes bfloat16 where the processor computes with them.",
    ] = "auto"
    pixels: Annotated[
        int, "Larger photos are fitted at a size of so many pixels; what changes there is enlarged and added."
    ] = 65_536
    window: Annotated[int, "Side of the windows that a photo is cut into, a blur for each; 0: as the weights say."] = 0
    smallest: Annotated[int, "Photos with a shorter side than this are returned as they were."] = 64
    state: Annotated[str, "File in which the run is kept, so that a cancelled one goes on; empty: none.", FILE_NAME] = (
        ""
    )

    def __post_init__(self) -> None:
        check_run(self)
        check_teacher(self.teacher, self.teacher_weights)
        if self.hold != -1 and not 0 <= self.hold <= 1:
            raise SettingsError(f"hold takes a number from 0 to 1, or -1, not {self.hold:g}")
        if self.pixels < _FEWEST_PIXELS:
            raise SettingsError(f"pixels takes a number from {_FEWEST_PIXELS} up, not {self.pixels}")
        if self.window and self.window < 128:
            raise SettingsError(f"window takes a number from 128 up, or 0, not {self.window}")
        for name in ("edges", "norm"):
            if not 0 <= getattr(self, name) < float("inf"):
                raise SettingsError(f"{name} takes a number from 0 up, not {getattr(self, name):g}")
