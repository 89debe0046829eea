"""Settings of the experiments with a space of blurs; the defaults are the full ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from unblur.errors import SettingsError

__all__ = ["AugmentationSettings", "DeblurSettings", "RetrievalSettings", "SwapSettings", "WalkSettings"]


@dataclass(frozen=True)
class RetrievalSettings:
    """Settings of `kernel-retrieval`."""

    weights: Annotated[str, "Weights of the kernel space, by name or file."] = "kernel-space"
    photos: Annotated[int, "Pairs of Kodak photos for each kernel."] = 12
    kernels: Annotated[int, "Kernels drawn as in training; as many of Levin's, up to 8, are unseen."] = 8
    kernel_size: Annotated[int, "Side of the kernels in pixels, odd; larger ones of Levin are shrunk to it."] = 17

    def __post_init__(self) -> None:
        _check_positive(self, "photos", "kernels")
        if not 1 <= self.kernels <= 8:
            raise SettingsError(f"kernels takes a number from 1 to 8, not {self.kernels}")


@dataclass(frozen=True)
class WalkSettings:
    """Settings of `kernel-walk`."""

    weights: Annotated[str, "Weights of the kernel space, by name or file."] = "kernel-space"
    photos: Annotated[int, "Kodak photos, each walked from one blur to another."] = 24
    steps: Annotated[int, "Codes on each way, both ends included."] = 9

    def __post_init__(self) -> None:
        _check_positive(self, "photos")
        if self.steps < 3:
            raise SettingsError(f"steps takes a number from 3 up, not {self.steps}")


@dataclass(frozen=True)
class DeblurSettings:
    """Settings of `kernel-deblur`."""

    weights: Annotated[str, "Weights of the kernel space, by name or file."] = "kernel-space"
    crops: Annotated[int, "Held-out crops of Kodak photos."] = 10
    size: Annotated[int, "Side of the crops in pixels."] = 256
    methods: Annotated[str, "Methods beside kernel-space, with commas between."] = "dublid,map,selfdeblur"
    preset: Annotated[Literal["full", "fast", "smoke"], "How long kernel-space is fitted."] = "fast"
    selfdeblur: Annotated[Literal["auto", "full", "fast", "warm", "smoke"], "How long SelfDeblur is fitted."] = "auto"
    ablations: Annotated[bool, "Fit kernel-space without each of its parts, too."] = True
    seed: Annotated[int, "Of blurs and networks."] = 0

    def __post_init__(self) -> None:
        _check_positive(self, "crops", "size")


@dataclass(frozen=True)
class _LearningSettings:
    """What experiments that train a deblurring network share."""

    weights: Annotated[str, "Weights of the kernel space, by name or file."] = "kernel-space"
    photos: Annotated[str, "Folder of sharp photos to learn from; empty: BSDS500, train, where data sets are."] = ""
    steps: Annotated[int, "Steps of each training."] = 20_000
    batch: Annotated[int, "Crops of a step."] = 4
    size: Annotated[int, "Side of the crops in pixels."] = 128
    crops: Annotated[int, "Fixed test crops of the Kodak photos."] = 48
    learning_rate: Annotated[float, "Of Adam, falling to 0 along half a wave."] = 5e-4
    seed: Annotated[int, "Of weights and samples."] = 0

    def __post_init__(self) -> None:
        _check_positive(self, "steps", "batch", "size", "crops")


@dataclass(frozen=True)
class SwapSettings(_LearningSettings):
    """Settings of `blur-swap`."""


@dataclass(frozen=True)
class AugmentationSettings(_LearningSettings):
    """Settings of `blur-augmentation`."""


def _check_positive(settings: object, *names: str) -> None:
    for name in names:
        if getattr(settings, name) < 1:
            raise SettingsError(f"{name} takes a number from 1 up, not {getattr(settings, name)}")
