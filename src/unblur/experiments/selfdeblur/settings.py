"""Settings of the experiments with SelfDeblur's weak supervision."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from unblur.experiments.settings import check_at_least, split_numbers, split_pairs

__all__ = [
    "AblationSettings",
    "FitSettings",
    "NoiseSettings",
    "NonUniformSettings",
    "StoppingSettings",
    "TeacherSettings",
]


@dataclass(frozen=True)
class FitSettings:
    """Settings that all of them share: photos and length of the fits."""

    limit: Annotated[int, "Number of photos, spread evenly over the set; 0: all."] = 0
    crop: Annotated[int, "Side in pixels of the crop of each photo; 0: the whole photo."] = 0
    preset: Annotated[Literal["full", "fast", "warm", "quick", "smoke"], "Preset of the fits."] = "full"
    steps: Annotated[int, "Largest number of steps; 0: that of the preset."] = 0
    width: Annotated[int, "Channels of the image network; 0: those of the preset."] = 0
    seeds: Annotated[int, "Number of fits of each photo, each with its own seed."] = 1
    weights: Annotated[
        str, "Weights for teachers, as in dmphn=FOLDER,nafnet=NAME; others use their own or those downloaded for them."
    ] = ""
    colour: Annotated[bool, "Photos in colour, scored in RGB; else grey."] = False
    data: Annotated[str, "Folder of the data sets; empty: that of UNBLUR_DATA."] = ""

    def __post_init__(self) -> None:
        check_at_least(self, 0, "limit", "crop", "steps", "width")
        check_at_least(self, 1, "seeds")
        split_pairs(self.weights, "weights")


@dataclass(frozen=True)
class AblationSettings(FitSettings):
    """Settings of `weak-ablation`."""

    suite: Annotated[str, "Data set of the pairs; synthetic: photos of BSDS500 under camera shake."] = "levin"
    teachers: Annotated[str, "Teachers, separated by commas; oracle returns the true image."] = "map,identity,oracle"


@dataclass(frozen=True)
class TeacherSettings(FitSettings):
    """Settings of `weak-teachers`."""

    suites: Annotated[
        str,
        "Data sets to score teachers on, separated by commas; scenes: photos of BSDS500 with a moving object; frames.",
    ] = "levin,synthetic,scenes"
    suite: Annotated[str, "Data set of the fits, one of these."] = "synthetic"
    teachers: Annotated[str, "Teachers, separated by commas; oracle returns the true image."] = "map,dublid,identity"
    strengths: Annotated[str, "Weights of the teacher's image in the loss, separated by commas."] = "0.01,0.1,1"

    def __post_init__(self) -> None:
        super().__post_init__()
        split_numbers(self.strengths, "strengths")


@dataclass(frozen=True)
class StoppingSettings(FitSettings):
    """Settings of `weak-stopping`."""

    suite: Annotated[str, "Data set to evaluate the rules on, or synthetic."] = "levin"
    teachers: Annotated[str, "Teachers, separated by commas."] = "map,identity"
    calibration: Annotated[int, "Number of other photos, on which the threshold is chosen."] = 20
    calibration_crop: Annotated[int, "Side of the crops of these in pixels."] = 256
    points: Annotated[int, "Number of steps of a run at which its image is scored."] = 100

    def __post_init__(self) -> None:
        super().__post_init__()
        check_at_least(self, 1, "calibration", "calibration_crop", "points")


@dataclass(frozen=True)
class NonUniformSettings(FitSettings):
    """Settings of `weak-nonuniform`."""

    limit: Annotated[int, "Number of scenes."] = 20
    crop: Annotated[int, "Side of the scenes in pixels."] = 256
    teachers: Annotated[str, "Teachers, separated by commas."] = "map,dublid"
    suite: Annotated[
        str, "scenes: photos of BSDS500 with a moving object; frames: averaged frames of a fast camera, not by layer."
    ] = "scenes"


@dataclass(frozen=True)
class NoiseSettings(FitSettings):
    """Settings of `weak-noise`."""

    limit: Annotated[int, "Number of photos."] = 20
    crop: Annotated[int, "Side of the photos in pixels."] = 256
    noises: Annotated[str, "Standard deviations of the noise on the [0, 1] scale, separated by commas."] = "0,0.01,0.03"
    variations: Annotated[str, "Weights of the total variation, separated by commas."] = "0,1e-6,1e-5,1e-4"
    teacher: Annotated[str, "Teacher of the fits."] = "map"

    def __post_init__(self) -> None:
        super().__post_init__()
        split_numbers(self.noises, "noises")
        split_numbers(self.variations, "variations")
