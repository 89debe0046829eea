"""The linear-motion test set of DUBLID (Li, Tofighi, Geng, Monga, Eldar, IEEE TCI 2020): 160 colour pairs.

40 images of the BSDS500 test part, 451x291 or 291x451, each blurred as stored with the same four straight motions,
without noise, 8 bit, cropped so that the blur at the border comes from outside. The kernels were not published; those
here were recovered from the pairs by least squares and explain them to 0.3 grey levels.

Layout: `dublid-bsds/sharp/groundtruth_{id}.png`, `dublid-bsds/blurred/blurred_{id}_{00-03}.png`,
`dublid-bsds/estimated_kernels_4x23x23.npz`.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from torch import Tensor

from unblur.datasets.folders import as_kernel, need_files, read_arrays, read_tensor, set_folder
from unblur.datasets.pairs import Loader, Pair, PairedSet

__all__ = ["dublid_bsds"]

_KERNELS = 4
_IMAGES = 40


def dublid_bsds(root: Path) -> PairedSet:
    """The 160 pairs, kernel after kernel for each image; RGB.

    Raises:
        DataError: The folder is missing or incomplete.
    """
    folder = set_folder(root, "dublid-bsds")
    sharp = need_files(folder / "sharp", "groundtruth_*.png", _IMAGES)
    blurred = need_files(folder / "blurred", "blurred_*_0[0-3].png", _IMAGES * _KERNELS)
    [stack] = read_arrays(folder / "estimated_kernels_4x23x23.npz", ["kernels"])
    kernels = [as_kernel(values) for values in stack]
    pairs: list[tuple[str, Loader]] = []
    for place, path in enumerate(blurred):
        image, kernel = divmod(place, _KERNELS)
        pairs.append((path.stem, partial(_read, path.stem, path, sharp[image], kernels[kernel])))
    return PairedSet(pairs, blurs=_KERNELS)


def _read(name: str, blurry: Path, sharp: Path, kernel: Tensor) -> Pair:
    return Pair(name, read_tensor(blurry), read_tensor(sharp), kernel)
