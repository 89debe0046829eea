"""Sun, Cho, Wang, Hays, "Edge-based blur kernel estimation using patch priors", ICCP 2013, re-created: 320 pairs.

40 sharp colour photos with a long side of 1024 pixels, each blurred as stored with the eight kernels of Levin et al.,
only where the kernel lies inside the photo, with Gaussian noise of standard deviation 0.01. The published set has 80
photos, other crops and its own noise, so printed numbers are not directly comparable.

Layout: `sun/img_*.png` and the kernels of `levin/`. Pairs are made when they are asked for.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from unblur.blur.convolve import convolve
from unblur.blur.noise import add_gaussian_noise
from unblur.datasets.folders import need_files, set_folder
from unblur.datasets.image_files import read_tensor
from unblur.datasets.levin import KERNELS, levin_kernels
from unblur.datasets.pairs import Loader, Pair, PairedSet

__all__ = ["NOISE_SIGMA", "sun"]

NOISE_SIGMA = 0.01
_IMAGES = 40


def sun(root: Path) -> PairedSet:
    """The 320 pairs, kernel after kernel for each photo; RGB. The same pair always has the same noise.

    Raises:
        DataError: The folder is missing or incomplete.
    """
    photos = need_files(set_folder(root, "sun"), "img_*.png", _IMAGES)
    kernels = levin_kernels(root)
    pairs: list[tuple[str, Loader]] = []
    for image, path in enumerate(photos):
        for number, kernel in enumerate(kernels):
            name, seed = f"{path.stem}_kernel{number + 1}", image * KERNELS + number
            pairs.append((name, partial(_make, name, path, kernel, seed)))
    return PairedSet(pairs, blurs=KERNELS)


def _make(name: str, path: Path, kernel: Tensor, seed: int) -> Pair:
    photo = read_tensor(path)
    noisy = add_gaussian_noise(convolve(photo, kernel, "valid"), NOISE_SIGMA, torch.Generator().manual_seed(seed))
    top, left = kernel.shape[-2] // 2, kernel.shape[-1] // 2
    sharp = photo[..., top : photo.shape[-2] - top, left : photo.shape[-1] - left]
    return Pair(name, noisy.clamp(0, 1), sharp, kernel)
