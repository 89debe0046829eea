"""Training of the judge of `auto`: measures of the search's answers in, their true gain out."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import torch
from torch import Tensor, nn

from unblur.datasets.folders import find_root
from unblur.datasets.photo_kinds.kinds import photo_kinds
from unblur.datasets.photos import bsds500
from unblur.experiments.auto.answers import Answers, make_answers, read_answer
from unblur.experiments.auto.settings import JudgeSettings
from unblur.experiments.auto.weights import JUDGE_FILE
from unblur.experiments.figures import Line, Panel, draw_panels
from unblur.experiments.result import ExperimentResult, Say, Table
from unblur.experiments.scores import psnr_of
from unblur.images.jpeg_traces import estimate_jpeg_coarseness
from unblur.images.tensors import brightness
from unblur.methods.auto.judge import JUDGE_CONFIG, GainPrediction, Judge
from unblur.methods.auto.measures import MEASURES, AnswerMeasures, measure_photo
from unblur.methods.auto.settings import AutoSettings
from unblur.solvers.photo import restore_with_kernel

__all__ = ["Measured", "fit_judge", "measure_all", "read_measured", "run"]

_SHARPEST = 45.0
"""PSNR in dB that a photo counts as at most: what is equal to the truth could lose without end."""
_LEAST, _MOST = -6.0, 10.0
"""Gains beyond these count as these: how badly an answer fails does not matter."""
_BATCH = 256
_RATE = 3e-3
_DECAY = 1e-3
_SEED = 2031
_LEAST_GAIN, _CAUTION = AutoSettings().least_gain, AutoSettings().caution


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


def run(settings: JudgeSettings, say: Say) -> ExperimentResult:
    """Make the answers, measure them, train, test on photos of other scenes; the weights lie beside the answers."""
    root, folder = find_root(None), Path(settings.folder)
    parts: dict[str, list[Measured]] = {}
    for seed, (split, count) in enumerate({"train": settings.count, "val": settings.held_out}.items(), start=7):
        photos, kinds = bsds500(root, split), dict(photo_kinds(root))
        for place in make_answers(folder / split, photos, kinds, count=count, size=settings.size, seed=seed):
            say(f"{split}: {place.name} of {count}")
        measure_all(folder / split, folder / f"{split}.jsonl", say)
        parts[split] = read_measured(folder / f"{split}.jsonl")
    judge = fit_judge(parts["train"], settings.steps)
    torch.save(judge.state_dict(), folder / JUDGE_FILE)
    return _report(judge, parts["val"], settings)


def measure_all(folder: Path, out: Path, say: Callable[[str], None]) -> None:
    """Measure and score the answers of a folder; each is a line of JSON, those that are there are left out."""
    done = {json.loads(line)["file"] for line in out.read_text().splitlines()} if out.exists() else set[str]()
    with out.open("a", encoding="utf-8") as file:
        for path in sorted(folder.glob("*.npz")):
            if path.name not in done:
                measured = _measure(read_answer(path))
                file.write(json.dumps({"file": path.name, **vars(measured)}) + "\n")
                file.flush()
                best = max(measured.gains, default=0.0)
                say(f"{path.name} {measured.kind}: best of {len(measured.gains)} answers {best:+.1f} dB")


def read_measured(place: Path) -> list[Measured]:
    """What `measure_all` wrote."""
    rows: list[dict[str, Any]] = [json.loads(line) for line in place.read_text(encoding="utf-8").splitlines()]
    return [Measured(**{name: value for name, value in row.items() if name != "file"}) for row in rows]


def _measure(answers: Answers) -> Measured:
    grey, truth = brightness(answers.blurry), brightness(answers.sharp)
    candidates = answers.candidates()
    coarseness = estimate_jpeg_coarseness(grey)
    before = min(psnr_of(grey, truth, "wide-shift"), _SHARPEST)
    gains: list[float] = []
    for one in candidates:
        restored = restore_with_kernel(grey, one.kernel, encoding=one.encoding, jpeg_coarseness=coarseness)
        gains.append(min(psnr_of(restored, truth, "wide-shift"), _SHARPEST) - before)
    measures = AnswerMeasures(measure_photo(grey, coarseness)).measure(candidates) if candidates else []
    return Measured(answers.kind, measures, gains)


def fit_judge(photos: Sequence[Measured], steps: int) -> Judge:
    """A judge that has learned the gains of these answers; every photo counts the same, however many answers it has."""
    torch.manual_seed(_SEED)
    inputs, gains = _tensors(photos)
    weights = torch.cat([torch.full((len(photo.gains),), 1 / max(len(photo.gains), 1)) for photo in photos])
    judge = Judge(**JUDGE_CONFIG)
    judge.centre.copy_(inputs.mean(0))
    judge.scale.copy_(inputs.std(0).clamp_min(1e-3))
    optimizer = torch.optim.AdamW(judge.parameters(), lr=_RATE, weight_decay=_DECAY)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for _ in range(steps):
        drawn = torch.multinomial(weights, _BATCH, replacement=True)
        loss = _loss(judge(inputs[drawn]), gains[drawn])
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(judge.parameters(), 1.0)
        optimizer.step()
        schedule.step()
    return judge.eval()


def _loss(predicted: Tensor, gains: Tensor) -> Tensor:
    """Negative logarithm of the likelihood, without constants."""
    mean, log_spread = predicted.unbind(-1)
    log_spread = log_spread.clamp(-3, 3)
    return (0.5 * ((gains - mean) * torch.exp(-log_spread)).square() + log_spread).mean()


def _tensors(photos: Sequence[Measured]) -> tuple[Tensor, Tensor]:
    inputs = torch.tensor([[measures[name] for name in MEASURES] for photo in photos for measures in photo.measures])
    gains = torch.tensor([gain for photo in photos for gain in photo.gains]).clamp(_LEAST, _MOST)
    return inputs, gains


def _report(judge: Judge, photos: Sequence[Measured], settings: JudgeSettings) -> ExperimentResult:
    answered = [photo for photo in photos if photo.gains]
    predictions = [judge.predict(photo.measures) for photo in answered]
    predicted = [one.gain for row in predictions for one in row]
    true = [min(max(gain, _LEAST), _MOST) for photo in answered for gain in photo.gains]
    correlation = float(torch.corrcoef(torch.tensor([predicted, true]))[0, 1])
    rows = [
        [least, caution, *_outcome(answered, predictions, least, caution)]
        for caution in (0.0, 0.5, 1.0, 1.5, 2.0)
        for least in (0.0, 0.3, 0.6)
    ]
    scatter = Panel([Line(predicted, true, style=".")], "predicted gain, dB", "true gain, dB")
    return ExperimentResult(
        title="The judge of auto on photos that it never saw",
        figures={"gains": draw_panels([scatter])},
        tables=(
            Table(
                "thresholds",
                f"What is kept and what is harmed by threshold (dB) and caution; correlation {correlation:.3f}",
                ["threshold", "caution", "answered", "gainful kept", "harmed", "mean gain"],
                rows,
            ),
            Table(
                "kinds",
                f"By kind, at {_LEAST_GAIN:g} dB and caution {_CAUTION:g}",
                ["kind", "photos", "answered", "mean gain", "best possible", "harmed"],
                _by_kind(answered, predictions),
            ),
        ),
        comparisons=(),
        notes=(
            f"{len(photos)} photos of {settings.size} pixels made of BSDS500 val; gains on brightness, wide-shift.",
        ),
    )


def _outcome(
    photos: Sequence[Measured], predictions: Sequence[Sequence[GainPrediction]], least: float, caution: float
) -> list[float]:
    """Shares answered, of photos where 1 dB can be gained kept, and harmed; mean gain."""
    gains = [_taken(photo, row, least, caution) for photo, row in zip(photos, predictions, strict=True)]
    gainful = [gain for photo, gain in zip(photos, gains, strict=True) if max(photo.gains) > 1]
    return [
        fmean(gain != 0 for gain in gains),
        fmean(gain > 0.5 for gain in gainful) if gainful else 0.0,
        fmean(gain < -0.5 for gain in gains),
        fmean(gains),
    ]


def _taken(photo: Measured, predictions: Sequence[GainPrediction], least: float, caution: float) -> float:
    bounds = [one.gain - caution * one.spread for one in predictions]
    best = bounds.index(max(bounds))
    return photo.gains[best] if bounds[best] >= least else 0.0


def _by_kind(photos: Sequence[Measured], predictions: Sequence[Sequence[GainPrediction]]) -> list[list[Any]]:
    rows: list[list[Any]] = []
    for kind in dict.fromkeys(photo.kind for photo in photos):
        own = [(photo, row) for photo, row in zip(photos, predictions, strict=True) if photo.kind == kind]
        gains = [_taken(photo, row, _LEAST_GAIN, _CAUTION) for photo, row in own]
        possible = fmean(max(*photo.gains, 0.0) for photo, _ in own)
        rows.append([kind, len(own), sum(g != 0 for g in gains), fmean(gains), possible, sum(g < -0.5 for g in gains)])
    return rows
