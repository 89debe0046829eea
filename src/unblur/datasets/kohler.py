"""Köhler et al., "Recording and playback of camera shake", ECCV 2012: 48 photographed pairs.

Four posters, each photographed while a robot played back twelve recorded camera shakes with rotation. The truth is a
sequence of about 199 sharp photos along each shake, so the protocol `kohler` takes the best score over all of them.

Layout, as the archives unpack: `Blurry{i}_{j}.png`, `Image{i}/Kernel{j}/GroundTruth{i}_{j}_{n}.png`.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

from unblur.datasets.folders import need_files, set_folder
from unblur.datasets.pairing import read_pair
from unblur.datasets.pairs import Loader, Pair, PairedSet
from unblur.datasets.photos import PhotoSet

__all__ = ["kohler"]

_IMAGES = 4
_SHAKES = 12


def kohler(root: Path) -> PairedSet:
    """The 48 pairs, shake after shake for each poster; RGB. `views` holds the whole truth, `sharp` its middle.

    Raises:
        DataError: The folder is missing or incomplete.
    """
    folder = set_folder(root, "kohler", "Kohler", "Koehler")
    need_files(folder, "Blurry*_*.png", _IMAGES * _SHAKES)
    pairs: list[tuple[str, Loader]] = []
    for image in range(1, _IMAGES + 1):
        for shake in range(1, _SHAKES + 1):
            number = f"{image}_{shake}"
            found = need_files(folder / f"Image{image}" / f"Kernel{shake}", f"GroundTruth{number}_*.png")
            views = sorted(found, key=lambda path: int(path.stem.rpartition("_")[2]))
            name = f"Blurry{number}"
            pairs.append((name, partial(_read, name, folder / f"{name}.png", views)))
    return PairedSet(pairs, blurs=_SHAKES)


def _read(name: str, blurry: Path, views: list[Path]) -> Pair:
    return replace(read_pair(name, blurry, views[(len(views) - 1) // 2]), views=PhotoSet(views))
