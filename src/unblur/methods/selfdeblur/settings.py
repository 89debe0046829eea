"""The numbers of SelfDeblur and of its weak supervision."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from unblur.errors import SettingsError
from unblur.methods.catalog import teacher_names
from unblur.methods.optimisation.settings import check_run, check_teacher
from unblur.methods.settings import FILE_NAME, Choices

__all__ = ["Reading", "SelfDeblurSettings", "WeakSettings"]

Reading = Literal["degraded", "literal"]


@dataclass(frozen=True)
class WeakSettings:
    """How a teacher's answer enters the losses."""

    teacher: Annotated[
        str,
        "Method whose answer guides the image: any of these, identity (the photo itself, a control) or none.",
        Choices(teacher_names),
    ] = "map"
    teacher_weights: Annotated[str, "Weights of the teacher, a file or a name; empty: its own.", FILE_NAME] = ""
    weak: Annotated[float, "Weight of the difference to the teacher's image, at the first step."] = 0.1
    weak_until: Annotated[float, "Share of the run after which that weight has fallen to 0; 0: it never falls."] = 0.6
    rec: Annotated[float, "Weight of the difference that the teacher sees; above 0 only for a teacher network."] = 0.0
    rec_from: Annotated[float, "Share of the run after which the teacher is asked."] = 0.1
    rec_every: Annotated[int, "Steps from one question to the next; the weight grows as much."] = 1
    reading: Annotated[
        Reading, "What the teacher is shown: the reblurred image (degraded) or the image itself (literal)."
    ] = "degraded"
    measure: Annotated[Literal["l1", "l2", "ssim", "l1+ssim"], "How images are compared with those of the teacher."] = (
        "l1"
    )
    confidence: Annotated[bool, "The teacher counts less where its image, blurred again, is not the photo."] = False

    def __post_init__(self) -> None:
        for name in ("weak", "rec"):
            if not 0 <= getattr(self, name) < float("inf"):
                raise SettingsError(f"{name} takes a number from 0 up, not {getattr(self, name):g}")
        for name in ("weak_until", "rec_from"):
            if not 0 <= getattr(self, name) <= 1:
                raise SettingsError(f"{name} takes a number from 0 to 1, not {getattr(self, name):g}")
        if self.rec_every < 1:
            raise SettingsError(f"rec_every takes a number from 1 up, not {self.rec_every}")
        check_teacher(self.teacher, self.teacher_weights)
        if self.rec > 0 and self.teacher == "none":
            raise SettingsError("rec asks a teacher; name one with teacher, or leave rec at 0")


@dataclass(frozen=True)
class SelfDeblurSettings(WeakSettings):
    """Settings of the method `selfdeblur`; see docs/selfdeblur.md."""

    preset: Annotated[
        Literal["auto", "full", "fast", "warm", "quick", "smoke"],
        "Steps, rates and width: full as published, fast in 1500 steps, warm for a start from the teacher, quick for "
        "60 steps that change the teacher's image, smoke to see it run; auto: full on a GPU, else warm.",
    ] = "auto"
    steps: Annotated[int, "Most steps; 0: as the preset says. Rates fall at the same shares of the run."] = 0
    width: Annotated[int, "Channels of the image network; 0: as the preset says."] = 0
    warm_steps: Annotated[
        int,
        "Steps in which the image network learns the teacher's image first, 0: none, the teacher is no start; -1: as "
        "the preset says.",
    ] = -1
    fits: Annotated[int, "Fits from so many seeds, one after another, whose answers are averaged."] = 1
    tv: Annotated[float, "Weight of the total variation of the image, for noisy photos; 1e-6 to 1e-4."] = 0.0
    stop: Annotated[
        Literal["never", "threshold", "plateau", "variance"],
        "When to end early: the teacher sees no difference, nothing improves, or the image begins to change again.",
    ] = "never"
    threshold: Annotated[float, "Of the rule threshold: what the teacher may still see."] = 0.01
    patience: Annotated[int, "Of the rules threshold and variance: checks in a row, of 500 in a run."] = 20
    iterate: Annotated[
        Literal["average", "best", "last"], "Which step answers: a running mean of all, the best fit, or the last."
    ] = "average"
    output: Annotated[
        Literal["mixture", "networks", "solver"],
        "The image of the networks, that of the solver with the kernel of the networks, or the mean of both.",
    ] = "mixture"
    colours: Annotated[
        Literal["teacher", "photo"], "Colour differences are the teacher's, or those of the photo, which are blurry."
    ] = "teacher"
    precision: Annotated[
        Literal["auto", "float32", "bfloat16"],
        "Numbers inside the image network; auto takes bfloat16 where the processor computes with them.",
    ] = "auto"
    pixels: Annotated[
        int, "Larger photos are learned on the part of so many pixels with most edges, then deconvolved."
    ] = 90_000
    smallest: Annotated[int, "Photos with a shorter side than this are returned as they were."] = 80
    stack: Annotated[
        int, "Photos of a batch that are fitted side by side; 0: as many as a GPU's memory holds, one on a processor."
    ] = 0
    state: Annotated[str, "File in which the run is kept, so that a cancelled one goes on; empty: none.", FILE_NAME] = (
        ""
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        check_run(self)
        if self.stack < 0:
            raise SettingsError(f"stack takes a number from 1 up, or 0, not {self.stack}")
        for name in ("fits", "pixels"):
            if getattr(self, name) < 1:
                raise SettingsError(f"{name} takes a number from 1 up, not {getattr(self, name)}")
        if not 0 <= self.tv < float("inf"):
            raise SettingsError(f"tv takes a number from 0 up, not {self.tv:g}")
        if self.stop == "threshold" and self.teacher == "none":
            raise SettingsError("the rule threshold asks a teacher; name one with teacher, or choose another rule")
