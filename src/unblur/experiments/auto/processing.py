"""What cameras and programs do to a photo after its exposure, so that the judge and the refiner have seen it.

Ordinary photos are not a blurred scene plus noise: noise is removed, edges are sharpened, and the picture was made
smaller and compressed once more on its way.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812 - the name that everyone gives it
from kornia.filters import gaussian_blur2d, median_blur
from torch import Tensor

from unblur.datasets.blur_settings import GaussianBlur, Sensor, Synthesis
from unblur.datasets.camera import simulate_camera
from unblur.datasets.photo_kinds.blurs import uniform

__all__ = ["Processing", "draw_processing"]

_SHARE = 0.5
"""Share of the photos that are processed, and of each step among them."""
_SIZES = (0.5, 0.95)
_AMOUNTS = (0.2, 0.9)
_RADII = (0.7, 1.6)
_CHROMA_BLURS = (0.7, 2.0)
_QUALITIES = (80, 98)


@dataclass(frozen=True)
class Processing:
    """Steps in the order in which they are applied; a step with 0 (1 for the size) is left out.

    Attributes:
        denoising: Share of the median of 3x3 pixels in the image.
        chroma_blur: Standard deviation of the blur of the colour differences, pixels.
        size: Factor of the sides, at most 1.
        sharpening: Amount of unsharp masking.
        radius: Standard deviation of its blur, pixels.
        quality: Of the last JPEG file; 0: none.
    """

    denoising: float = 0.0
    chroma_blur: float = 0.0
    size: float = 1.0
    sharpening: float = 0.0
    radius: float = 1.0
    quality: int = 0

    def apply(self, blurry: Tensor, sharp: Tensor) -> tuple[Tensor, Tensor]:
        """The blurry photo after all steps, and the truth of its size; `(1, 3, h, w)`, sRGB-encoded, in [0, 1]."""
        image = blurry
        if self.denoising:
            image = image.lerp(median_blur(image, 3), self.denoising)
        if self.chroma_blur:
            image = _luma(image) + _blur(image - _luma(image), self.chroma_blur)
        photo, truth = _resized(image, self.size), _resized(sharp, self.size)
        if self.sharpening:
            photo = photo + self.sharpening * (_luma(photo) - _blur(_luma(photo), self.radius))
        stored = Synthesis(GaussianBlur(), Sensor(jpeg_quality=self.quality), "encoded")
        return simulate_camera(photo.clamp(0, 1), truth, stored, torch.Generator())


def draw_processing(generator: torch.Generator) -> Processing:
    """What happened to a photo; nothing in one of two."""
    if uniform(0, 1, generator) >= _SHARE:
        return Processing()

    def sometimes(low: float, high: float, otherwise: float) -> float:
        taken, value = uniform(0, 1, generator) < _SHARE, uniform(low, high, generator)
        return value if taken else otherwise

    return Processing(
        denoising=sometimes(0.3, 1.0, 0.0),
        chroma_blur=sometimes(*_CHROMA_BLURS, 0.0),
        size=sometimes(*_SIZES, 1.0),
        sharpening=sometimes(*_AMOUNTS, 0.0),
        radius=uniform(*_RADII, generator),
        quality=round(sometimes(*_QUALITIES, 0.0)),
    )


def _luma(image: Tensor) -> Tensor:
    return image.mean(1, keepdim=True)


def _blur(image: Tensor, spread: float) -> Tensor:
    side = 2 * math.ceil(3 * spread) + 1
    return gaussian_blur2d(image, (side, side), (spread, spread))


def _resized(image: Tensor, size: float) -> Tensor:
    if size == 1:
        return image
    return F.interpolate(image, scale_factor=size, mode="bicubic", antialias=True).clamp(0, 1)
