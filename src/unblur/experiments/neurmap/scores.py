"""How NeurMAP's experiments score images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

from torch import Tensor

from unblur.datasets.catalog import open_dataset
from unblur.datasets.pairs import PairedSet
from unblur.errors import UnblurError
from unblur.experiments.result import Cell
from unblur.metrics.niqe import niqe
from unblur.metrics.psnr import psnr
from unblur.metrics.ssim import ssim_uniform

__all__ = ["CAPTION", "COLUMNS", "Score", "mean_psnr", "open_test_pairs", "row_of", "score_image"]

COLUMNS = ("PSNR", "SSIM", "NIQE")
CAPTION = "PSNR (dB, RGB), SSIM (uniform 7x7, data range 1), NIQE of this package"


@dataclass(frozen=True)
class Score:
    """One image of one method; NIQE is None where the image is too small for it."""

    psnr: float
    ssim: float
    niqe: float | None


def open_test_pairs(data: str) -> PairedSet:
    """The kernel-synthesised test part.

    Args:
        data: Folder with neurmap/test in it; empty: where data sets are.

    Raises:
        DataError: It is not there.
    """
    return open_dataset("neurmap", Path(data) if data else None, "test")


def score_image(image: Tensor, sharp: Tensor) -> Score:
    """Scores of an answer `(1, 3, H, W)`, rounded to 8 bits as in a file."""
    rounded = (image * 255).round() / 255
    quality = psnr(rounded, sharp, data_range=1.0), ssim_uniform(rounded, sharp, data_range=1.0)
    try:
        natural = float(niqe(rounded))
    except UnblurError:
        natural = None
    return Score(float(quality[0]), float(quality[1]), natural)


def mean_psnr(scores: Sequence[Score]) -> float:
    """In dB."""
    return mean(score.psnr for score in scores)


def row_of(name: str, scores: Sequence[Score]) -> list[Cell]:
    """A row of a table: means over images, under a name."""
    natural = [score.niqe for score in scores if score.niqe is not None]
    return [name, mean_psnr(scores), mean(score.ssim for score in scores), mean(natural) if natural else None]
