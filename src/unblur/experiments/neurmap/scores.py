"""Scores, test pairs and comparisons of NeurMAP's experiments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

from torch import Tensor

from unblur.datasets.catalog import open_dataset
from unblur.datasets.pairs import PairedSet
from unblur.errors import UnblurError
from unblur.experiments.comparison import Comparison, compare_value
from unblur.experiments.result import Cell, Table
from unblur.experiments.scores import psnr_of
from unblur.images.tensors import round_to_8_bits
from unblur.metrics.niqe import niqe
from unblur.metrics.ssim import ssim_uniform

__all__ = ["COLUMNS", "Score", "compare_gain", "mean_psnr", "open_test_pairs", "row_of", "score_image", "tables_of"]

COLUMNS = ("PSNR", "SSIM", "NIQE")
_CAPTION = "Means over the test images: PSNR (dB, RGB), SSIM (uniform 7x7, data range 1), NIQE of this package"
_WITHIN, _LEAST = 0.3, 0.1
"""Largest difference from a printed gain that counts as a match, but never more than half of that gain; smallest gain
that counts. Both in dB or NIQE."""


@dataclass(frozen=True)
class Score:
    """Scores of one restored image; NIQE is None where the image is too small for it."""

    psnr: float
    ssim: float
    niqe: float | None


def open_test_pairs(data: str) -> PairedSet:
    """The kernel-synthesised test part.

    Args:
        data: Folder that holds neurmap/test; empty: that of `UNBLUR_DATA`.

    Raises:
        DataError: The set is not there.
    """
    return open_dataset("neurmap", Path(data) if data else None, "test")


def score_image(image: Tensor, sharp: Tensor) -> Score:
    """Scores of an answer `(1, 3, H, W)`, rounded to 8 bits as in a file."""
    rounded = round_to_8_bits(image)
    try:
        natural = float(niqe(rounded))
    except UnblurError:  # the image is too small
        natural = None
    return Score(psnr_of(rounded, sharp), float(ssim_uniform(rounded, sharp, data_range=1.0)), natural)


def mean_psnr(scores: Sequence[Score]) -> float:
    """Mean PSNR in dB."""
    return mean(score.psnr for score in scores)


def row_of(name: str, scores: Sequence[Score]) -> list[Cell]:
    """A row of a table: a name and the means over images."""
    natural = [score.niqe for score in scores if score.niqe is not None]
    return [name, mean_psnr(scores), mean(score.ssim for score in scores), mean(natural) if natural else None]


def tables_of(
    name: str,
    scores: Mapping[str, Sequence[Score]],
    printed: Mapping[str, Sequence[float]],
    source: str,
    further: Mapping[str, Mapping[str, str]] | None = None,
) -> tuple[Table, Table]:
    """Our means and the printed ones.

    Args:
        name: Name of the table of our means.
        scores: Scores by row, image by image.
        printed: Printed values by row, in the order of `COLUMNS`.
        source: Number of the printed table.
        further: Further columns of ours: cells by row.
    """
    further = further or {}
    rows = [[*row_of(row, values), *(cells.get(row) for cells in further.values())] for row, values in scores.items()]
    columns = COLUMNS[: len(next(iter(printed.values())))]
    caption = f"Printed ({source}), on other photos with the same generator; its SSIM script inflates values"
    return (
        Table(name, _CAPTION, ["method", *COLUMNS, *further], rows),
        Table("printed", caption, ["method", *columns], [[row, *values] for row, values in printed.items()]),
    )


def compare_gain(claim: str, printed: float, ours: float | None, unit: str = "dB", note: str = "") -> Comparison:
    """A printed difference of two methods and ours; 0 is no effect."""
    within = min(_WITHIN, abs(printed) / 2)
    return compare_value(
        claim, printed, ours, within=within, neutral=0, least=_LEAST, unit=unit, form="+.2f", note=note
    )
