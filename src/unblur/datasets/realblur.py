"""RealBlur: Rim, Lee, Won, Cho, "Real-world blur dataset for learning and benchmarking", ECCV 2020.

Each shot was taken by two cameras through one beam splitter, one with a long exposure; the pairs are aligned only up to
a homography and a gain, which the protocol `realblur` estimates. `realblur-j` is JPEG of the camera, `realblur-r` raw.

Layout: `RealBlur_J_test_list.txt` (a line a pair: sharp, then blurry, both relative to the folder) beside the folders
of the images, or flat: `{input,target}` below `RealBlur_J/test/`, `test/RealBlur_J/` or, for one split, `RealBlur_J/`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from unblur.datasets.folders import set_folder
from unblur.datasets.pairing import MatchedFiles, match_trees, paired_set
from unblur.datasets.pairs import PairedSet
from unblur.errors import DataError

__all__ = ["pairs_from_list", "realblur_j", "realblur_r"]


def realblur_j(root: Path, split: str = "test") -> PairedSet:
    """The pairs of the JPEG half.

    Raises:
        DataError: Neither the list nor flat folders, or a listed file is missing.
    """
    return _realblur(root, "J", split)


def realblur_r(root: Path, split: str = "test") -> PairedSet:
    """The pairs of the raw half; see `realblur_j`."""
    return _realblur(root, "R", split)


def pairs_from_list(path: Path) -> list[MatchedFiles]:
    """The files that a list of pairs names, sharp then blurry on each line, relative to the list's folder.

    Raises:
        DataError: No such list, a line that does not hold two names, or a file that does not exist.
    """
    try:
        lines = [line.split() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"expected a list of pairs at {str(path)!r}; it cannot be read") from error
    matched: list[MatchedFiles] = []
    for number, names in enumerate(lines, start=1):
        if len(names) < 2:
            raise DataError(f"expected a sharp and a blurry file on line {number} of {path.name}; found {len(names)}")
        sharp, blurry = (path.parent / name for name in names[:2])
        for file in (sharp, blurry):
            if not file.is_file():
                raise DataError(
                    f"expected the file {str(file)!r}, which line {number} of {path.name} names; found none"
                )
        matched.append((str(Path(names[1]).with_suffix("")), blurry, sharp))
    if not matched:
        raise DataError(f"expected a pair on each line of {str(path)!r}; found none")
    return matched


def _realblur(root: Path, half: Literal["J", "R"], split: str) -> PairedSet:
    folder = set_folder(root, "realblur", "RealBlur", "realblur-dataset")
    listed = folder / f"RealBlur_{half}_{split}_list.txt"
    if listed.is_file():
        return paired_set(pairs_from_list(listed))
    places = (f"RealBlur_{half}/{split}", f"{split}/RealBlur_{half}", f"RealBlur_{half}")
    flat = next((folder / place for place in places if (folder / place / "input").is_dir()), None)
    if flat is None:
        raise DataError(
            f"expected {listed.name} or RealBlur_{half} with input and target in {str(folder)!r}; found neither"
        )
    return paired_set(match_trees(flat / "input", flat / "target"))
