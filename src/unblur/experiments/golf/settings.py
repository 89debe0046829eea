"""The numbers of the Golf Optimizer's experiments; the defaults are the full ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

__all__ = [
    "ForgettingSettings",
    "IterationSettings",
    "LambdaSettings",
    "RefineSettings",
    "RuntimeSettings",
    "ToySettings",
]


@dataclass(frozen=True)
class ToySettings:
    """Settings of `golf-toy`."""

    seeds: Annotated[int, "How many networks of each kind are trained."] = 10
    samples: Annotated[int, "Random training samples, each seen once."] = 16_000
    batch: Annotated[int, "Samples of a step."] = 4
    tests: Annotated[int, "Random samples that the networks are tested on."] = 1_000
    learning_rate: Annotated[float, "Of Adam."] = 1e-3
    seed: Annotated[int, "Of weights and samples."] = 0


@dataclass(frozen=True)
class ForgettingSettings:
    """Settings of `golf-forgetting`."""

    photos: Annotated[str, "Folder of sharp photos to learn from; empty: BSDS500, train, where data sets are."] = ""
    steps: Annotated[int, "Steps of each phase."] = 20_000
    every: Annotated[int, "Steps between measurements."] = 500
    batch: Annotated[int, "Crops of a step, an even number."] = 4
    size: Annotated[int, "Side of the crops in pixels."] = 256
    crops: Annotated[int, "Fixed test crops of the Kodak photos."] = 64
    learning_rate: Annotated[float, "Constant."] = 1e-3
    learner: Annotated[
        Literal["published", "fast"],
        "The plain network and Adam, which need tens of thousands of steps; or what the small recipes train with, "
        "unit contrast, symmetric weights and Muon, for hundreds.",
    ] = "published"
    start: Annotated[str, "Weights of the Golf Optimizer whose first shot is gone on with; empty: the identity."] = ""
    seed: Annotated[int, "Of weights and samples."] = 0


@dataclass(frozen=True)
class LambdaSettings:
    """Settings of `golf-lambda`."""

    photos: Annotated[str, "Folder of sharp photos to learn from; empty: BSDS500, train, where data sets are."] = ""
    vgg: Annotated[str, "File with the weights of VGG-11 with batch normalisation (ImageNet)."] = ""
    steps: Annotated[int, "Steps of each training."] = 100_000
    batch: Annotated[int, "Crops of a step."] = 4
    size: Annotated[int, "Side of the crops in pixels."] = 256
    crops: Annotated[int, "Fixed test crops of the Kodak photos."] = 64
    learning_rate: Annotated[float, "Of Adam, constant."] = 1e-3
    seed: Annotated[int, "Of weights and samples."] = 0


@dataclass(frozen=True)
class IterationSettings:
    """Settings of `golf-iterations`."""

    weights: Annotated[str, "Weights by name or file."] = "golf"
    crops: Annotated[int, "Test crops of 256 pixels of the Kodak photos, blurred; fixed."] = 200
    putts: Annotated[int, "How many putts are looked at."] = 5
    sharp: Annotated[int, "So many sharp Kodak photos are sent through as well."] = 24


@dataclass(frozen=True)
class RuntimeSettings:
    """Settings of `golf-runtime`."""

    side: Annotated[int, "Side of the image in pixels."] = 256
    putts: Annotated[int, "Putts after the first shot."] = 3
    warmups: Annotated[int, "Runs before the clock counts."] = 20
    runs: Annotated[int, "Runs that are timed."] = 200
    device: Annotated[str, "Where to run: cpu or cuda."] = "cpu"


@dataclass(frozen=True)
class RefineSettings:
    """Settings of `golf-refine`."""

    crops: Annotated[int, "Crops of the Kodak photos, blurred by camera shake; fixed."] = 24
    size: Annotated[int, "Side of the crops in pixels."] = 256
    kernel_size: Annotated[int, "Side of the kernels in pixels, odd."] = 21
