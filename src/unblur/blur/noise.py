"""What a sensor adds: noise, saturation, quantisation. Images are on the scale [0, 1]."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["add_gaussian_noise", "add_poisson_noise", "quantise", "saturate"]

Image = Float[Tensor, "b c h w"]


def add_gaussian_noise(image: Image, noise_sigma: float, generator: torch.Generator) -> Image:
    """The image with independent Gaussian noise at every sample; values may leave [0, 1].

    Args:
        image: Image in the encoding in which the noise arises.
        noise_sigma: Standard deviation on the scale of the image.
        generator: Generator on the image's device.
    """
    noise = torch.randn(image.shape, generator=generator, device=image.device, dtype=torch.float32)
    return image + noise_sigma * noise.to(image.dtype)


def add_poisson_noise(image_linear: Image, photons: float, generator: torch.Generator) -> Image:
    """The image as counted by photons.

    Args:
        image_linear: Linear light; negative values count as none.
        photons: Photons that value 1 stands for; the standard deviation at value v is `sqrt(v / photons)`.
        generator: Generator on the image's device.
    """
    rate = image_linear.float().clamp_min(0) * photons
    return (torch.poisson(rate, generator=generator) / photons).to(image_linear.dtype)


def saturate(image_linear: Image, gain: float = 1.0) -> Image:
    """The image amplified by `gain` and clipped to [0, 1], as a full pixel clips light.

    It belongs after the blur and before the encoding.
    """
    return (image_linear * gain).clamp(0, 1)


def quantise(image: Image, bits: int = 8) -> Image:
    """The image clipped to [0, 1] and rounded to the `2^bits` levels of a file."""
    levels = 2**bits - 1
    return (image.clamp(0, 1) * levels).round() / levels
