"""Settings of the kernel space's experiments; the defaults are the full ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from unblur.errors import SettingsError
from unblur.experiments.settings import check_at_least

__all__ = [
    "AugmentationSettings",
    "DeblurSettings",
    "RetrievalSettings",
    "SwapSettings",
    "TrainingSettings",
    "WalkSettings",
]


@dataclass(frozen=True)
class RetrievalSettings:
    """Settings of `kernel-retrieval`."""

    weights: Annotated[str, "Weights of the kernel space, by name or file."] = "kernel-space"
    photos: Annotated[int, "Number of pairs of Kodak photos for each kernel."] = 12
    kernels: Annotated[int, "Number of kernels as in training, up to 8, and of Levin's, which training lacks."] = 8
    kernel_size: Annotated[int, "Side of the kernels in pixels, odd; larger ones of Levin are shrunk to it."] = 17

    def __post_init__(self) -> None:
        check_at_least(self, 1, "photos", "kernels")
        if not 1 <= self.kernels <= 8:
            raise SettingsError(f"kernels takes a number from 1 to 8, not {self.kernels}")


@dataclass(frozen=True)
class WalkSettings:
    """Settings of `kernel-walk`."""

    weights: Annotated[str, "Weights of the kernel space, by name or file."] = "kernel-space"
    photos: Annotated[int, "Number of Kodak photos."] = 24
    steps: Annotated[int, "Number of codes from one blur to the other, both included."] = 9

    def __post_init__(self) -> None:
        check_at_least(self, 1, "photos")
        if self.steps < 3:
            raise SettingsError(f"steps takes a number from 3 up, not {self.steps}")


@dataclass(frozen=True)
class DeblurSettings:
    """Settings of `kernel-deblur`."""

    weights: Annotated[str, "Weights of the kernel space, by name or file."] = "kernel-space"
    crops: Annotated[int, "Number of held-out crops of Kodak photos."] = 10
    size: Annotated[int, "Side of the crops in pixels."] = 256
    methods: Annotated[str, "Methods beside kernel-space, separated by commas."] = "dublid,map,selfdeblur"
    preset: Annotated[Literal["full", "fast", "smoke"], "Preset of kernel-space."] = "fast"
    selfdeblur: Annotated[Literal["auto", "full", "fast", "warm", "smoke"], "Preset of SelfDeblur."] = "auto"
    ablations: Annotated[bool, "Also fit kernel-space without each of its parts."] = True
    seed: Annotated[int, "Seed of blurs and networks."] = 0

    def __post_init__(self) -> None:
        check_at_least(self, 1, "crops", "size")


@dataclass(frozen=True)
class TrainingSettings:
    """Settings that experiments which train a deblurring network share."""

    weights: Annotated[str, "Weights of the kernel space, by name or file."] = "kernel-space"
    photos: Annotated[str, "Folder of sharp training photos; empty: BSDS500, train, below UNBLUR_DATA."] = ""
    steps: Annotated[int, "Steps of each training."] = 20_000
    batch: Annotated[int, "Crops of a step."] = 4
    size: Annotated[int, "Side of the crops in pixels."] = 128
    crops: Annotated[int, "Number of fixed test crops of the Kodak photos."] = 48
    learning_rate: Annotated[float, "Initial learning rate of Adam; it falls to 0 along half a cosine."] = 5e-4
    seed: Annotated[int, "Seed of weights and samples."] = 0

    def __post_init__(self) -> None:
        check_at_least(self, 1, "steps", "batch", "size", "crops")


@dataclass(frozen=True)
class SwapSettings(TrainingSettings):
    """Settings of `blur-swap`."""


@dataclass(frozen=True)
class AugmentationSettings(TrainingSettings):
    """Settings of `blur-augmentation`."""
