"""Photos with a known blur for the examples: taken from scikit-image, shaken as by a hand, with noise and 8 bits."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import skimage.data
import torch
from numpy.typing import NDArray
from torch import Tensor

from unblur.blur.convolve import convolve
from unblur.blur.noise import add_gaussian_noise, quantise
from unblur.blur.trajectories import sample_motion_kernel
from unblur.images.tensors import array_to_tensor, linear_to_srgb, srgb_to_linear, tensor_to_array
from unblur.metrics.score import score

NOISE_SIGMA = 0.005  # on the encoded scale, white is 1: a little more than one grey level of 8 bits


class Shaken(NamedTuple):
    """What the camera sees, the part of the sharp photo that it shows, and the kernel between them.

    `blurry` and `sharp` are `(H, W, 3)` in [0, 1], sRGB-encoded; `kernel` is `(kH, kW)`, sum 1.
    """

    blurry: NDArray[np.float32]
    sharp: NDArray[np.float32]
    kernel: NDArray[np.float32]

    def psnr(self, image: NDArray[np.float32]) -> float:
        """PSNR of an image in dB after the best shift: image and kernel are found only up to one."""
        return float(score(array_to_tensor(image), array_to_tensor(self.sharp), "shift").psnr)


def shaken_photo(name: str = "coffee", *, side: int, kernel_size: int, seed: int) -> Shaken:
    """The middle of a photo, shaken.

    Light adds up while the shutter is open, so the photo is blurred in linear light, encoded, and then gets noise and
    8 bits. Where the kernel would reach beyond the photo nothing is known, and nothing is made up.

    Args:
        name: A photo of `skimage.data`, such as `coffee`, `astronaut` or `chelsea`.
        side: Height and width of the sharp photo in pixels; the blurry one is smaller by the kernel.
        kernel_size: Height and width of the kernel's box in pixels, odd.
        seed: Seed of the random shake and noise.
    """
    generator = torch.Generator().manual_seed(seed)
    sharp = photo_part(name, side=side)
    kernel = sample_motion_kernel(kernel_size, generator, length=(kernel_size, 1.5 * kernel_size))
    seen = linear_to_srgb(convolve(srgb_to_linear(sharp), kernel, "valid"))
    blurry = quantise(add_gaussian_noise(seen, NOISE_SIGMA, generator))
    margin = kernel_size // 2
    shown = sharp[..., margin:-margin, margin:-margin]
    return Shaken(tensor_to_array(blurry), tensor_to_array(shown), kernel[0, 0].numpy())


def photo_part(name: str, *, side: int) -> Tensor:
    """The middle of a photo of `skimage.data`, `(1, 3, side, side)`, sRGB-encoded."""
    photo = getattr(skimage.data, name)()
    image = array_to_tensor(photo.astype(np.float32) / 255)
    top, left = (max(0, (length - side) // 2) for length in image.shape[-2:])
    return image[..., top : top + side, left : left + side]
