"""Settings of the experiments with SelfDeblur's weak supervision."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from unblur.errors import SettingsError
from unblur.experiments.lists import numbers_in

__all__ = [
    "AblationSettings",
    "NoiseSettings",
    "NonUniformSettings",
    "RunSettings",
    "StoppingSettings",
    "TeacherSettings",
]


@dataclass(frozen=True)
class RunSettings:
    """Which photos, and how long each is fitted."""

    limit: Annotated[int, "Photos, spread evenly over the set; 0: all."] = 0
    crop: Annotated[int, "Side in pixels of the part of each photo that is used; 0: all of it."] = 0
    preset: Annotated[Literal["full", "fast", "warm", "smoke"], "How long each photo is fitted."] = "full"
    steps: Annotated[int, "Most steps; 0: as the preset says."] = 0
    width: Annotated[int, "Channels of the image network; 0: as the preset says."] = 0
    seeds: Annotated[int, "Runs of each photo, with other random numbers."] = 1
    weights: Annotated[str, "Weights of the teachers that need some and have none of their own."] = ""
    data: Annotated[str, "Folder of the data sets; empty: as UNBLUR_DATA says."] = ""

    def __post_init__(self) -> None:
        for name, least in (("limit", 0), ("crop", 0), ("seeds", 1), ("steps", 0), ("width", 0)):
            if getattr(self, name) < least:
                raise SettingsError(f"{name} takes a number from {least} up, not {getattr(self, name)}")


@dataclass(frozen=True)
class AblationSettings(RunSettings):
    """Which terms of the loss bring what."""

    suite: Annotated[str, "Data set of the pairs; synthetic: photos of BSDS500 with a camera's shake."] = "levin"
    teachers: Annotated[str, "Teachers, with commas between; oracle knows the truth."] = "map,identity,oracle"


@dataclass(frozen=True)
class TeacherSettings(RunSettings):
    """How good teachers are, and how much of what they say should count."""

    suites: Annotated[
        str, "Where teachers are scored, with commas between; scenes: photos of BSDS500 in which something moves."
    ] = "levin,synthetic,scenes"
    suite: Annotated[str, "Where they are learned from, one of these."] = "synthetic"
    teachers: Annotated[str, "Teachers, with commas between; oracle knows the truth."] = "map,dublid,identity"
    strengths: Annotated[str, "Weights of the teacher's image, with commas between."] = "0.01,0.1,1"

    def __post_init__(self) -> None:
        super().__post_init__()
        numbers_in(self.strengths, "strengths")


@dataclass(frozen=True)
class StoppingSettings(RunSettings):
    """What stopping rules cost and save."""

    suite: Annotated[str, "Data set that the rules are judged on, or synthetic."] = "levin"
    teachers: Annotated[str, "Teachers, with commas between."] = "map,identity"
    calibration: Annotated[int, "Other photos, on which the threshold is chosen."] = 20
    calibration_crop: Annotated[int, "Side of these in pixels."] = 256
    points: Annotated[int, "Places along a run at which its image is scored."] = 100

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("calibration", "calibration_crop", "points"):
            if getattr(self, name) < 1:
                raise SettingsError(f"{name} takes a number from 1 up, not {getattr(self, name)}")


@dataclass(frozen=True)
class NonUniformSettings(RunSettings):
    """What one kernel makes of a scene with two."""

    limit: Annotated[int, "Scenes."] = 20
    crop: Annotated[int, "Side of the scenes in pixels."] = 256
    teachers: Annotated[str, "Teachers, with commas between."] = "map,dublid"


@dataclass(frozen=True)
class NoiseSettings(RunSettings):
    """Whether total variation helps against noise."""

    limit: Annotated[int, "Photos."] = 20
    crop: Annotated[int, "Side of the photos in pixels."] = 256
    noises: Annotated[str, "Standard deviations of the noise on the [0, 1] scale, with commas between."] = "0,0.01,0.03"
    variations: Annotated[str, "Weights of the total variation, with commas between."] = "0,1e-6,1e-5,1e-4"
    teacher: Annotated[str, "Whose image guides the run."] = "map"

    def __post_init__(self) -> None:
        super().__post_init__()
        numbers_in(self.noises, "noises")
        numbers_in(self.variations, "variations")
