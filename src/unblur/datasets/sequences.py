"""Data sets made of video frames: GoPro, REDS and HIDE, in their official trees and as flat folders.

GoPro: Nah, Kim, Lee, "Deep multi-scale convolutional neural network for dynamic scene deblurring", CVPR 2017. Frames of
240 a second averaged 7 to 13 at a time, as they are stored (`blur_gamma`) or after undoing a gamma of 2.2 (`blur`);
the truth is the middle frame. REDS: Nah et al., CVPR workshops 2019. HIDE: Shen et al., ICCV 2019.
"""

from __future__ import annotations

from pathlib import Path, PurePath

from unblur.datasets.folders import need_folder, set_folder
from unblur.datasets.pairing import MatchedFiles, check_count, match_trees, paired_set
from unblur.datasets.pairs import PairedSet

__all__ = ["gopro", "gopro_gamma", "hide", "reds"]

_GOPRO_FOLDERS = ("gopro", "GoPro", "GOPRO_Large")
_GOPRO_PAIRS = {"train": 2103, "test": 1111}
_HIDE_PAIRS = {"train": 6397, "test": 2025}


def gopro(root: Path, split: str = "test", *, count: int | None = None) -> PairedSet:
    """The GoPro pairs whose frames were averaged in approximately linear light.

    Layout: `{train,test}/<sequence>/{blur,sharp}/NNNNNN.png`, or flat: `{train,test}/{input,target}/`.

    Args:
        root: Folder with the set's folder (`gopro`, `GoPro` or `GOPRO_Large`), or that folder.
        split: `"train"` or `"test"`.
        count: How many pairs there must be; None: as published.

    Raises:
        DataError: The folder is missing or incomplete.
    """
    folder = need_folder(set_folder(root, *_GOPRO_FOLDERS) / split, "sequences")
    wanted = _GOPRO_PAIRS[split] if count is None else count
    if (folder / "input").is_dir():
        return paired_set(match_trees(folder / "input", folder / "target", count=wanted))
    return paired_set(_match_sequences(folder, "blur", wanted))


def gopro_gamma(root: Path, split: str = "test", *, count: int | None = None) -> PairedSet:
    """The GoPro pairs whose frames were averaged as they are stored; layout `<sequence>/{blur_gamma,sharp}/`."""
    folder = need_folder(set_folder(root, *_GOPRO_FOLDERS) / split, "sequences")
    wanted = _GOPRO_PAIRS[split] if count is None else count
    return paired_set(_match_sequences(folder, "blur_gamma", wanted), encoding="encoded")


def reds(root: Path, split: str = "val") -> PairedSet:
    """The pairs of REDS.

    Layout: `{train,val}/{train,val}_{blur,sharp}/NNN/NNNNNNNN.png`, or for one split
    `{blur_imgs,sharp_imgs}/<sequence>/`.
    """
    folder = set_folder(root, "reds", "REDS")
    if (folder / "blur_imgs").is_dir():
        return paired_set(match_trees(folder / "blur_imgs", folder / "sharp_imgs"))
    part = folder / split if (folder / split).is_dir() else folder
    return paired_set(match_trees(part / f"{split}_blur", part / f"{split}_sharp"))


def hide(root: Path, split: str = "test", *, count: int | None = None) -> PairedSet:
    """The pairs of HIDE.

    Layout: the official tree with `train/`, `test/test-close-ups/`, `test/test-long-shot/` and all sharp images in
    `GT/`, or flat for the test part: `input/` and `target/`.
    """
    folder = set_folder(root, "hide", "HIDE", "HIDE_dataset")
    wanted = _HIDE_PAIRS[split] if count is None else count
    if (folder / "input").is_dir():
        return paired_set(match_trees(folder / "input", folder / "target", count=wanted))
    return paired_set(match_trees(folder / split, folder / "GT", lambda place: PurePath(place.name), count=wanted))


def _match_sequences(folder: Path, blur: str, count: int) -> list[MatchedFiles]:
    """Matched files of all sequences, each with a folder of blurry and one of sharp frames."""
    matched: list[MatchedFiles] = []
    for sequence in sorted(path for path in folder.iterdir() if path.is_dir()):
        files = match_trees(sequence / blur, sequence / "sharp")
        matched += [(f"{sequence.name}/{name}", blurry, sharp) for name, blurry, sharp in files]
    return check_count(matched, count, folder)
