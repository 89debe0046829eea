"""The linear-motion test set of DUBLID (Li, Tofighi, Geng, Monga, Eldar, IEEE TCI 2020): 160 colour pairs.

40 images of the BSDS500 test part, 451x291 or 291x451, each blurred as stored with the same four straight motions,
without noise, 8 bit, cropped so that the blur at the border comes from outside. The kernels were not published; those
here were recovered from the pairs by least squares and explain them to 0.3 grey levels.

Layout: `dublid-bsds/sharp/groundtruth_{id}.png`, `dublid-bsds/blurred/blurred_{id}_{00-03}.png`,
`dublid-bsds/estimated_kernels_4x23x23.npz`.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path, PurePath

from unblur.datasets.folders import set_folder
from unblur.datasets.image_files import as_kernel, read_arrays
from unblur.datasets.pairing import match_trees, read_pair
from unblur.datasets.pairs import Loader, PairedSet

__all__ = ["dublid_bsds"]

_KERNELS = 4
_IMAGES = 40


def dublid_bsds(root: Path) -> PairedSet:
    """The 160 pairs, kernel after kernel for each image; RGB.

    Raises:
        DataError: The folder is missing or incomplete.
    """
    folder = set_folder(root, "dublid-bsds")
    matched = match_trees(folder / "blurred", folder / "sharp", _sharp_of, count=_IMAGES * _KERNELS)
    [stack] = read_arrays(folder / "estimated_kernels_4x23x23.npz", ["kernels"])
    kernels = [as_kernel(values) for values in stack]
    pairs: list[tuple[str, Loader]] = []
    for place, (name, blurry, sharp) in enumerate(matched):
        pairs.append((name, partial(read_pair, name, blurry, sharp, "encoded", kernels[place % _KERNELS])))
    return PairedSet(pairs, blurs=_KERNELS)


def _sharp_of(place: PurePath) -> PurePath:
    """`groundtruth_005` of `blurred_005_02`."""
    return PurePath(place.name.rpartition("_")[0].replace("blurred", "groundtruth"))
