"""Levin et al., "Understanding and evaluating blind deconvolution algorithms", CVPR 2009: 32 photographed pairs.

Four grey images of 255x255 pixels, each photographed with eight camera shakes whose kernels were measured. The stored
kernels are already turned for convolution (the original files need 180 degrees). The truth is the one sharp image that
is published for all eight, although for kernels 1 to 5 it was photographed separately and fits only to 32-35 dB.

Layout: `levin/blurred/im{1-4}_kernel{1-8}_img.png`, `levin/gt/im{1-4}.png`, `levin/levin_kernels_float.npz`.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path, PurePath

from torch import Tensor

from unblur.datasets.folders import set_folder
from unblur.datasets.image_files import as_kernel, read_arrays
from unblur.datasets.pairing import match_trees, read_pair
from unblur.datasets.pairs import Loader, PairedSet

__all__ = ["KERNELS", "levin", "levin_kernels"]

KERNELS = 8
_IMAGES = 4


def levin(root: Path) -> PairedSet:
    """The 32 pairs, kernel after kernel for each image; grey.

    Raises:
        DataError: The folder is missing or incomplete.
    """
    folder = set_folder(root, "levin")
    matched = match_trees(folder / "blurred", folder / "gt", _sharp_of, count=_IMAGES * KERNELS)
    kernels = levin_kernels(root)
    pairs: list[tuple[str, Loader]] = []
    for place, (stem, blurry, sharp) in enumerate(matched):
        name = stem.removesuffix("_img")
        pairs.append((name, partial(read_pair, name, blurry, sharp, "encoded", kernels[place % KERNELS])))
    return PairedSet(pairs, blurs=KERNELS)


def levin_kernels(root: Path) -> list[Tensor]:
    """The eight measured kernels, `(1, 1, k, k)`, k = 19 17 15 27 13 21 23 23.

    Raises:
        DataError: The file is missing or not what it should be.
    """
    arrays = read_arrays(set_folder(root, "levin") / "levin_kernels_float.npz", [f"k{i + 1}" for i in range(KERNELS)])
    return [as_kernel(values) for values in arrays]


def _sharp_of(place: PurePath) -> PurePath:
    """`im2` of `im2_kernel3_img`."""
    return PurePath(place.name.partition("_kernel")[0])
