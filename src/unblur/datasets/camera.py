"""The camera of a synthetic pair after the blur: gain, noise, encoding, quantisation, JPEG."""

from __future__ import annotations

import io

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from unblur.blur.noise import add_gaussian_noise, add_poisson_noise, quantise, saturate
from unblur.datasets.blur_settings import Synthesis
from unblur.images.tensors import linear_to_srgb, srgb_to_linear

__all__ = ["simulate_camera"]


def simulate_camera(
    blurred: Tensor, stored: Tensor, synthesis: Synthesis, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Both images as files hold them: amplified, clipped, encoded, quantised; the blurry one with noise and JPEG.

    Args:
        blurred: The blurred image in the encoding of the blur.
        stored: The sharp image, encoded as stored.
        synthesis: Settings of the sensor, and the encoding of the blur.
        generator: Draws the noise.
    """
    sensor = synthesis.sensor
    decode, encode = (srgb_to_linear, linear_to_srgb) if synthesis.encoding == "linear" else (torch.clone, torch.clone)
    exposed = saturate(blurred, sensor.gain)
    if sensor.photons:
        exposed = add_poisson_noise(exposed, sensor.photons, generator)
    if sensor.noise_sigma:
        exposed = add_gaussian_noise(exposed, sensor.noise_sigma, generator)
    blurry = quantise(encode(exposed.clamp(0, 1)))
    # at gain 1, decoding and encoding would only cost time
    sharp = quantise(stored if sensor.gain == 1 else encode(saturate(decode(stored), sensor.gain)))
    return (_through_jpeg(blurry, sensor.jpeg_quality) if sensor.jpeg_quality else blurry), sharp


def _through_jpeg(image: Tensor, quality: int) -> Tensor:
    """The image after a JPEG with the usual half chroma."""
    pixels = np.ascontiguousarray((image[0] * 255).round().byte().permute(1, 2, 0).numpy())
    file = io.BytesIO()
    Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels).save(file, "JPEG", quality=quality)
    with Image.open(file, formats=["JPEG"]) as compressed:
        decoded = np.asarray(compressed).reshape(pixels.shape)
    return torch.from_numpy(decoded.transpose(2, 0, 1).copy())[None].to(image.dtype) / 255
