"""Settings of the Golf Optimizer's experiments; the defaults are the full ones."""

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

    seeds: Annotated[int, "Number of networks of each kind."] = 10
    samples: Annotated[int, "Number of random training samples; each is used once."] = 16_000
    batch: Annotated[int, "Samples of a step."] = 4
    tests: Annotated[int, "Number of random test samples."] = 1_000
    learning_rate: Annotated[float, "Learning rate of Adam."] = 1e-3
    seed: Annotated[int, "Seed of weights and samples."] = 0


@dataclass(frozen=True)
class ForgettingSettings:
    """Settings of `golf-forgetting`."""

    photos: Annotated[str, "Folder of sharp training photos; empty: BSDS500, train, below UNBLUR_DATA."] = ""
    steps: Annotated[int, "Steps of each phase."] = 20_000
    every: Annotated[int, "Steps between measurements."] = 500
    batch: Annotated[int, "Crops of a step, an even number."] = 4
    size: Annotated[int, "Side of the crops in pixels."] = 256
    crops: Annotated[int, "Number of fixed test crops of the Kodak photos."] = 64
    learning_rate: Annotated[float, "Constant learning rate of the optimiser."] = 1e-3
    learner: Annotated[
        Literal["published", "fast"],
        "published: plain network and Adam, which need tens of thousands of steps; fast: unit contrast, symmetric "
        "weights and Muon, as in the small recipes, for hundreds of steps.",
    ] = "published"
    start: Annotated[str, "Weights of the Golf Optimizer whose first shot is trained further; empty: the identity."] = (
        ""
    )
    seed: Annotated[int, "Seed of weights and samples."] = 0


@dataclass(frozen=True)
class LambdaSettings:
    """Settings of `golf-lambda`."""

    photos: Annotated[str, "Folder of sharp training photos; empty: BSDS500, train, below UNBLUR_DATA."] = ""
    vgg: Annotated[str, "File with the weights of VGG-11 with batch normalisation (ImageNet)."] = ""
    steps: Annotated[int, "Steps of each training."] = 100_000
    batch: Annotated[int, "Crops of a step."] = 4
    size: Annotated[int, "Side of the crops in pixels."] = 256
    crops: Annotated[int, "Number of fixed test crops of the Kodak photos."] = 64
    learning_rate: Annotated[float, "Constant learning rate of Adam."] = 1e-3
    seed: Annotated[int, "Seed of weights and samples."] = 0


@dataclass(frozen=True)
class IterationSettings:
    """Settings of `golf-iterations`."""

    weights: Annotated[str, "Weights by name or file."] = "golf"
    crops: Annotated[int, "Number of fixed, blurred test crops of 256 pixels of the Kodak photos."] = 200
    putts: Annotated[int, "Number of refinement steps, the putts of the paper."] = 5
    sharp: Annotated[int, "Number of sharp Kodak photos that are restored as well."] = 24


@dataclass(frozen=True)
class RuntimeSettings:
    """Settings of `golf-runtime`."""

    side: Annotated[int, "Side of the image in pixels."] = 256
    putts: Annotated[int, "Number of refinement steps, the putts of the paper, after the first shot."] = 3
    warmups: Annotated[int, "Number of untimed runs at the beginning."] = 20
    runs: Annotated[int, "Number of timed runs."] = 200
    device: Annotated[str, "Device to run on: cpu or cuda."] = "cpu"


@dataclass(frozen=True)
class RefineSettings:
    """Settings of `golf-refine`."""

    crops: Annotated[int, "Number of fixed crops of the Kodak photos, blurred by camera shake."] = 24
    size: Annotated[int, "Side of the crops in pixels."] = 256
    kernel_size: Annotated[int, "Side of the kernels in pixels, odd."] = 21
