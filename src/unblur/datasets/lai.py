"""Lai, Huang, Hu, Ahuja, Yang, "A comparative study for single image blind deblurring", CVPR 2016: 100 uniform pairs.

25 sharp photos (manmade, natural, people, saturated, text; five each), each blurred with four kernels of 31, 51, 55 and
75 pixels, with Gaussian noise of standard deviation 0.01.

Layout: blurred images `class_NN_kernel_KK.png` in `uniform/`, sharp ones `class_NN.png` in `ground_truth/`, kernels
`kernel_KK.png` in `kernel/` where there are any.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path, PurePath

from unblur.datasets.folders import set_folder
from unblur.datasets.image_files import as_kernel
from unblur.datasets.pairing import match_trees, read_pair
from unblur.datasets.pairs import Loader, Pair, PairedSet
from unblur.images.kernels import read_kernel

__all__ = ["lai_uniform"]

_KERNELS = 4
_PAIRS = 100


def lai_uniform(root: Path, *, count: int = _PAIRS) -> PairedSet:
    """The 100 pairs, kernel after kernel for each image; RGB.

    Raises:
        DataError: The folder is missing or incomplete.
    """
    folder = set_folder(root, "lai", "Lai")
    matched = match_trees(folder / "uniform", folder / "ground_truth", _without_kernel, count=count)
    pairs: list[tuple[str, Loader]] = []
    for name, blurry, sharp in matched:
        kernel = folder / "kernel" / f"kernel_{name.rpartition('_')[2]}.png"
        pairs.append((name, partial(_read, name, blurry, sharp, kernel)))
    return PairedSet(pairs, blurs=_KERNELS)


def _without_kernel(place: PurePath) -> PurePath:
    return PurePath(place.name.partition("_kernel_")[0])


def _read(name: str, blurry: Path, sharp: Path, kernel: Path) -> Pair:
    known = as_kernel(read_kernel(kernel).astype("float64")) if kernel.is_file() else None
    return read_pair(name, blurry, sharp, "encoded", known)
