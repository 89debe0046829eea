"""Measures and true gains of the search's answers, as they come from the solver and as the refiner leaves them.

Both are kept as lines of JSON beside the answers, so that a run that was stopped goes on where it ended.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import torch

from unblur.datasets.folders import find_root
from unblur.datasets.photo_kinds.kinds import photo_kinds
from unblur.datasets.photos import bsds500
from unblur.experiments.auto.answers import Answers, make_answers, read_answer
from unblur.experiments.auto.searched import read_searched, write_searched
from unblur.experiments.auto.settings import AnswerSettings
from unblur.experiments.result import Say
from unblur.experiments.scores import psnr_of
from unblur.images.jpeg_traces import estimate_jpeg_coarseness
from unblur.images.tensors import brightness
from unblur.methods.auto.improvement import SOLVER, Improver
from unblur.methods.auto.measures import AnswerMeasures, measure_photo
from unblur.methods.auto.refiner import AnswerRefiner
from unblur.methods.kernel_search.search import Candidate
from unblur.solvers.photo import restore_with_kernel

__all__ = [
    "SHARPEST",
    "SPLITS",
    "Measured",
    "add_lines",
    "forget_refined",
    "make_and_measure",
    "measure_refined",
    "read_lines",
    "read_measured",
    "read_refined",
    "second_file",
]

SPLITS = ("train", "val")
"""Parts of BSDS500 that are learned from and tested on; also the names of the folders."""
_SEEDS = {"train": 7, "val": 8}
SHARPEST = 45.0
"""PSNR in dB that a photo counts as at most: what is equal to the truth could lose without end."""

_WORST = -3.0
_BEHIND = 1.0
_REFINED = 3
"""Where the best answer gains less than the first, in dB, none is refined, which saves time. Else so many are, the best
ones, as far as they are no more than the second behind; those up to twice as far behind count as if refining did as
much for them, the others as they are."""


@dataclass(frozen=True)
class Measured:
    """All answers to one photo.

    Attributes:
        kind: Name of the photo's kind.
        measures: Measures of each answer, by name.
        gains: Gain of each answer, dB.
    """

    kind: str
    measures: Sequence[dict[str, float]]
    gains: Sequence[float]


def make_and_measure(settings: AnswerSettings, say: Say) -> None:
    """Make the answers of both splits and measure them, as far as that is not done.

    What was searched is kept in `searched.npz`, from which another run can make the answers again.
    """
    root, folder = find_root(None), Path(settings.folder)
    known = read_searched(Path(settings.searched)) if settings.searched else {}
    for split, count in zip(SPLITS, (settings.count, settings.held_out), strict=True):
        photos, kinds = bsds500(root, split), dict(photo_kinds(root))
        own = {name.removeprefix(f"{split}/"): one for name, one in known.items() if name.startswith(f"{split}/")}
        numbers = sorted(map(int, own)) if settings.only_searched else range(count)
        made = make_answers(
            folder / split, photos, kinds, numbers, size=settings.size, seed=_SEEDS[split], searched=own
        )
        for place in made:
            say(f"{split}: {place.name} of {len(numbers)}")
        for line in add_lines(folder / split, folder / f"{split}.jsonl", lambda _, answers: vars(_measure(answers))):
            best = max(line["gains"], default=0.0)
            say(f"{line['file']} {line['kind']}: best of {len(line['gains'])} answers {best:+.1f} dB")
    paths = [path for split in SPLITS for path in sorted((folder / split).glob("*.npz"))]
    kept = ((f"{path.parent.name}/{path.stem}", read_answer(path).searched()) for path in paths)
    write_searched(folder / "searched.npz", kept)


def measure_refined(
    folder: Path, split: str, refiner: AnswerRefiner, say: Say, *, names: Sequence[str] | None = None
) -> None:
    """Add the gains of the refined answers, as far as that is not done; of the files of these names, or of all."""
    gains = {file: photo.gains for file, photo in read_measured(folder, split).items()}
    for line in add_lines(
        folder / split,
        _refined_file(folder, split),
        lambda name, answers: {"gains": _refined_gains(answers, gains[name], refiner)},
        names=names,
    ):
        say(f"{line['file']}: best of the refined {max(line['gains'], default=0.0):+.1f} dB")


def forget_refined(folder: Path) -> None:
    """Remove the gains that an earlier refiner had."""
    for split in SPLITS:
        for file in (_refined_file(folder, split), second_file(folder, split)):
            file.unlink(missing_ok=True)


def read_measured(folder: Path, split: str) -> dict[str, Measured]:
    """What `make_and_measure` wrote, by the names of the answers' files."""
    return {
        row["file"]: Measured(row["kind"], row["measures"], row["gains"])
        for row in read_lines(folder / f"{split}.jsonl")
    }


def read_refined(folder: Path, split: str, names: Sequence[str] | None = None) -> list[Measured]:
    """The same answers with the gains that they have when they are refined; of the files of these names, or of all."""
    measured = read_measured(folder, split)
    return [
        Measured(measured[row["file"]].kind, measured[row["file"]].measures, row["gains"])
        for row in read_lines(_refined_file(folder, split))
        if names is None or row["file"] in names
    ]


def second_file(folder: Path, split: str) -> Path:
    """Measures and gains of the refined answers, for the second judge."""
    return folder / f"{split}-second.jsonl"


def _refined_file(folder: Path, split: str) -> Path:
    return folder / f"{split}-refined.jsonl"


def add_lines(
    answers: Path,
    out: Path,
    measure: Callable[[str, Answers], Mapping[str, Any]],
    *,
    names: Sequence[str] | None = None,
) -> Iterator[dict[str, Any]]:
    """A line of JSON for each file of answers that has none, as it is written.

    Args:
        answers: Folder of the files.
        out: Receives the lines.
        measure: Given the name of a file and what it holds.
        names: Of the files; None: all.
    """
    done = {row["file"] for row in read_lines(out)} if out.exists() else set[str]()
    with out.open("a", encoding="utf-8") as file:
        for path in sorted(answers.glob("*.npz")):
            if path.name not in done and (names is None or path.name in names):
                line = {"file": path.name, **measure(path.name, read_answer(path))}
                file.write(json.dumps(line) + "\n")
                file.flush()
                yield line


def read_lines(place: Path) -> list[dict[str, Any]]:
    """What `add_lines` wrote."""
    return [json.loads(line) for line in place.read_text(encoding="utf-8").splitlines()]


def _measure(answers: Answers) -> Measured:
    grey, truth = brightness(answers.blurry), brightness(answers.sharp)
    candidates = answers.candidates()
    coarseness = estimate_jpeg_coarseness(grey)
    before = min(psnr_of(grey, truth, "wide-shift"), SHARPEST)
    gains: list[float] = []
    for one in candidates:
        restored = restore_with_kernel(grey, one.kernel, encoding=one.encoding, jpeg_coarseness=coarseness, quick=True)
        gains.append(min(psnr_of(restored, truth, "wide-shift"), SHARPEST) - before)
    measures = AnswerMeasures(measure_photo(grey, coarseness)).measure(candidates) if candidates else []
    return Measured(answers.kind, measures, gains)


@torch.no_grad()
def _refined_gains(answers: Answers, gains: Sequence[float], refiner: AnswerRefiner) -> list[float]:
    """Gains in brightness of what `auto` would return, dB."""
    order = sorted(range(len(gains)), key=gains.__getitem__, reverse=True)
    if not order or gains[order[0]] < _WORST:
        return list(gains)
    near = [place for place in order[:_REFINED] if gains[place] >= gains[order[0]] - _BEHIND]
    grey, truth = brightness(answers.blurry), brightness(answers.sharp)
    before, improver = min(psnr_of(grey, truth, "wide-shift"), SHARPEST), Improver(refiner, answers.blurry)

    def gain_of(one: Candidate) -> float:
        restored = restore_with_kernel(answers.blurry, one.kernel, encoding=one.encoding, solver=SOLVER)
        improved = improver.improve(restored, one.kernel, one.encoding).image
        return min(psnr_of(brightness(improved), truth, "wide-shift"), SHARPEST) - before

    candidates = answers.candidates()
    refined = {place: gain_of(candidates[place]) for place in near}
    more = fmean(refined[place] - gains[place] for place in near)
    least = gains[order[0]] - 2 * _BEHIND
    return [refined.get(place, gain + more if gain > least else gain) for place, gain in enumerate(gains)]
