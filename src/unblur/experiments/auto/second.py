"""What the second judge of `auto` learns from: the best answers to photos that the first one has not learned from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from unblur.experiments.auto.answers import Answers
from unblur.experiments.auto.measured import SHARPEST, Measured, add_lines, read_lines, read_measured, second_file
from unblur.experiments.result import Say
from unblur.experiments.scores import psnr_of
from unblur.images.tensors import brightness
from unblur.methods.auto.judge import Judge, best_of
from unblur.methods.auto.refined_measures import refine_answers
from unblur.methods.auto.refiner import AnswerRefiner
from unblur.methods.auto.second_look import MOST_ANSWERS

__all__ = ["measure_second", "read_second"]


def measure_second(
    folder: Path, split: str, judge: Judge, refiner: AnswerRefiner, say: Say, *, names: Sequence[str]
) -> None:
    """Refine and measure the answers that the first judge takes for the best, as far as that is not done.

    Those of photos that are surely sharp, too, which `auto` does not look at again: without them the second judge took
    a sharp photo for a blurred one.

    Args:
        folder: Of the answers and measures, see `make_and_measure`.
        split: `train` or `val`.
        judge: The first one.
        refiner: Refines.
        say: Progress.
        names: Files of the photos.
    """
    measured = read_measured(folder, split)

    def measure(name: str, answers: Answers) -> dict[str, object]:
        photo = measured[name]
        return vars(_measure(answers, photo, judge, refiner) if photo.gains else Measured(photo.kind, [], []))

    for line in add_lines(folder / split, second_file(folder, split), measure, names=names):
        say(f"{line['file']}: {len(line['gains'])} refined, best {max(line['gains'], default=0.0):+.1f} dB")


def read_second(folder: Path, split: str, names: Sequence[str]) -> list[Measured]:
    """What `measure_second` wrote of these files."""
    rows = {row["file"]: row for row in read_lines(second_file(folder, split))}
    return [Measured(row["kind"], row["measures"], row["gains"]) for row in map(rows.__getitem__, names)]


@torch.no_grad()
def _measure(answers: Answers, photo: Measured, judge: Judge, refiner: AnswerRefiner) -> Measured:
    predictions, candidates = judge.predict(photo.measures), answers.candidates()
    ranks = best_of(predictions, [one.origin == "line" for one in candidates])[:MOST_ANSWERS]
    chosen = [candidates[rank] for rank in ranks], [predictions[rank] for rank in ranks]
    refined = refine_answers(refiner, answers.blurry, *chosen)
    truth = brightness(answers.sharp)

    def quality_of(image: torch.Tensor) -> float:
        return min(psnr_of(brightness(image), truth, "wide-shift"), SHARPEST)

    before = quality_of(answers.blurry)
    return Measured(photo.kind, [one.measures for one in refined], [quality_of(one.image) - before for one in refined])
