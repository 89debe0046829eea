"""Data sets that are made from any sharp photos: the kernel-synthesised set of NeurMAP."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unblur.datasets.blur_settings import MotionFieldBlur, Sensor, Synthesis
from unblur.datasets.pair_files import BlurInput, FailedInput, PairOptions, write_manifest, write_pairs
from unblur.datasets.photos import photos_of
from unblur.errors import DataError, OutputError

__all__ = ["SPLITS", "MadePairs", "make_kernel_synthesised"]

SPLITS = ("train", "validation", "test")

_TEST_EVERY = 6
"""One photo in six is for testing, as in the paper: 1,500 and 300 pairs of 300 photos."""
_VALIDATION_EVERY = 10
"""One in ten of the others is for validation, so that test photos do not decide when training stops."""
_NOISE = 0.001 / 255


@dataclass(frozen=True)
class MadePairs:
    """Result of one photo.

    Attributes:
        split: Part of the data set.
        photo: The file.
        pairs: Number of pairs made of it.
        reason: Why there are none; empty: there are.
    """

    split: str
    photo: Path
    pairs: int
    reason: str = ""


def make_kernel_synthesised(
    photos: Sequence[Path], out: Path, *, variants: int = 6, seed: int = 0, jobs: int = 1, overwrite: bool = False
) -> Iterator[MadePairs]:
    """Blur each photo by random motion fields (Gong et al., CVPR 2017), and split the pairs by photo.

    The strong fields, on stored values, with noise of 0.001 grey levels, which 8 bits swallow. Pairs of one photo stay
    together: a network must not be tested on photos that it has seen.

    Args:
        photos: Folders of sharp photos.
        out: Folder for `train`, `validation` and `test`, each with `blurry`, `sharp`, `motion_field` and a manifest.
        variants: Number of pairs of each photo.
        seed: Seed of the motion; the split does not depend on it.
        jobs: Number of threads.
        overwrite: Replace existing files.

    Raises:
        DataError: Fewer than 12 photos, so that a part would be empty, or two of one name.
        OutputError: There is a data set in the folder already, or it cannot be written to.
    """
    found = [path for folder in photos for path in photos_of(folder).paths]
    if len(found) < 2 * _TEST_EVERY:
        raise DataError(f"expected at least {2 * _TEST_EVERY} photos, so that every part gets some; found {len(found)}")
    if len({path.stem for path in found}) < len(found):
        raise DataError("two photos have the same name; pairs are named by their photo")
    if not overwrite and any((out / split / "manifest.jsonl").exists() for split in SPLITS):
        raise OutputError("the output holds a data set already; choose another folder or overwrite it")
    synthesis = Synthesis(MotionFieldBlur("strong"), Sensor(noise_sigma=_NOISE), encoding="encoded")
    for split, paths in _split(found).items():
        options = PairOptions(synthesis, out / split, seed, variants, overwrite)
        yield from _make(split, paths, options, jobs)


def _split(photos: Sequence[Path]) -> dict[str, list[Path]]:
    test = list(photos[_TEST_EVERY - 1 :: _TEST_EVERY])
    others = [path for path in photos if path not in test]
    validation = others[_VALIDATION_EVERY - 1 :: _VALIDATION_EVERY]
    return {"train": [path for path in others if path not in validation], "validation": validation, "test": test}


def _make(split: str, paths: Sequence[Path], options: PairOptions, jobs: int) -> Iterator[MadePairs]:
    sources = [BlurInput(path, Path(path.stem)) for path in paths]
    lines: list[dict[str, Any]] = []
    for source, answer in zip(sources, write_pairs(sources, options, jobs=jobs), strict=True):
        if isinstance(answer, FailedInput):
            yield MadePairs(split, source.path, 0, answer.reason)
        else:
            lines += answer
            yield MadePairs(split, source.path, len(answer))
    write_manifest(options.out, lines, overwrite=options.overwrite)
