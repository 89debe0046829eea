"""Training of the judge of `auto`: measures of the search's answers in, their true gain out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

import torch
from torch import Tensor, nn

from unblur.experiments.auto.measured import SPLITS, Measured, make_and_measure, measure_refined, read_refined
from unblur.experiments.auto.settings import JudgeSettings
from unblur.experiments.auto.weights import JUDGE_FILE, read_refiner, read_start, write_weights
from unblur.experiments.figures import Line, Panel, draw_panels
from unblur.experiments.result import ExperimentResult, Say, Table
from unblur.methods.auto.judge import JUDGE_CONFIG, GainPrediction, Judge, best_of, lower_bound
from unblur.methods.auto.measures import MEASURES
from unblur.methods.auto.settings import AutoSettings

__all__ = ["fit_judge", "run"]

_LEAST, _MOST = -6.0, 10.0
"""Gains beyond these count as these: how badly an answer fails does not matter."""
_BATCH = 24
"""Photos of a step, with all of their answers."""
_CHOICE = 0.6
"""Weight of the gain of the answer that is chosen, per dB, against the likelihood of all gains. With 191 photos to
learn from, 77 others gained 3.21 dB with none, 3.39 with this, and 3.35 with 1, where predictions are less true."""
_DECAY = 0.1
_SEED = 2031
_METRICS = "{} held-out photos: {:.0%} of the gainful answers kept, {:.1%} harmed, mean gain {:+.2f} dB"
_LEAST_GAIN, _CAUTION = AutoSettings().least_gain, AutoSettings().caution


def run(settings: JudgeSettings, say: Say) -> ExperimentResult:
    """Make the answers, refine and measure them, train, test on other scenes, and write the weights of `auto`."""
    make_and_measure(settings, say)
    folder = Path(settings.folder)
    refiner = read_refiner(folder)
    for split in SPLITS:
        measure_refined(folder, split, refiner, say)
    train, val = (read_refined(folder, split) for split in SPLITS)
    start = read_start(settings.start, Judge(**JUDGE_CONFIG), lambda shipped: shipped.judge)
    judge = fit_judge(train, settings.steps, rate=settings.rate, start=start)
    torch.save(judge.state_dict(), folder / JUDGE_FILE)
    result = _report(judge, val, settings)
    kept = max(result.tables[0].rows, key=lambda row: row[:2] == [_LEAST_GAIN, _CAUTION])
    say(f"weights of auto: {write_weights(folder, _METRICS.format(len(val), *kept[3:]))}")
    return result


def fit_judge(
    photos: Sequence[Measured], steps: int, *, rate: float = JudgeSettings.rate, start: Judge | None = None
) -> Judge:
    """A judge that has learned the gains of these answers; every photo counts the same, however many answers it has.

    Args:
        photos: Measures and gains.
        steps: Steps of the training.
        rate: Learning rate of the first step.
        start: A judge that goes on learning; it is changed. None: a new one.
    """
    torch.manual_seed(_SEED)
    inputs, gains = _tensors(photos)
    judge = start or _new_judge(torch.cat(inputs))
    optimizer = torch.optim.AdamW(judge.parameters(), lr=rate, weight_decay=_DECAY)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for _ in range(steps):
        drawn = torch.randint(len(inputs), (_BATCH,)).tolist()
        loss = _loss(judge(torch.cat([inputs[one] for one in drawn])), [gains[one] for one in drawn])
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(judge.parameters(), 1.0)
        optimizer.step()
        schedule.step()
    return judge.eval()


def _new_judge(inputs: Tensor) -> Judge:
    judge = Judge(**JUDGE_CONFIG)
    judge.centre.copy_(inputs.mean(0))
    judge.scale.copy_(inputs.std(0).clamp_min(1e-3))
    return judge


def _loss(predicted: Tensor, gains: Sequence[Tensor]) -> Tensor:
    """What is minimised: how unlikely the gains of a photo's answers are, less the gain of the one that is chosen."""
    of_photos = predicted.split([len(one) for one in gains], 1)
    return torch.stack([_loss_of_photo(own, true) for own, true in zip(of_photos, gains, strict=True)]).mean()


def _loss_of_photo(predicted: Tensor, gains: Tensor) -> Tensor:
    mean, log_spread = predicted.unbind(-1)
    log_spread = log_spread.clamp(-3, 3)
    # The logarithm of the likelihood, without constants.
    surprise = (0.5 * ((gains - mean) * torch.exp(-log_spread)).square() + log_spread).mean()
    # Choosing is softened to shares, in which the photo as it was, which gains nothing, has its own.
    shares = nn.functional.pad(mean, (0, 1)).softmax(-1)
    chosen = (shares * nn.functional.pad(gains, (0, 1))).sum(-1).mean()
    return surprise - _CHOICE * chosen


def _tensors(photos: Sequence[Measured]) -> tuple[list[Tensor], list[Tensor]]:
    """Measures and gains of each photo that has answers."""
    answered = [photo for photo in photos if photo.gains]
    inputs = [torch.tensor([[measures[name] for name in MEASURES] for measures in one.measures]) for one in answered]
    return inputs, [torch.tensor(one.gains).clamp(_LEAST, _MOST) for one in answered]


def _report(judge: Judge, photos: Sequence[Measured], settings: JudgeSettings) -> ExperimentResult:
    answered = [photo for photo in photos if photo.gains]
    predictions = [judge.predict(photo.measures) for photo in answered]
    predicted = [one.gain for row in predictions for one in row]
    true = [min(max(gain, _LEAST), _MOST) for photo in answered for gain in photo.gains]
    correlation = float(torch.corrcoef(torch.tensor([predicted, true]))[0, 1])
    rows = [
        [least, caution, *_outcome(answered, predictions, least, caution)]
        for caution in sorted({0.0, 0.5, 1.0, 1.5, 2.0, _CAUTION})
        for least in sorted({0.0, 0.3, 0.6, _LEAST_GAIN})
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
    best = best_of(predictions)[0]
    return photo.gains[best] if lower_bound(predictions[best], caution) >= least else 0.0


def _by_kind(photos: Sequence[Measured], predictions: Sequence[Sequence[GainPrediction]]) -> list[list[Any]]:
    rows: list[list[Any]] = []
    for kind in dict.fromkeys(photo.kind for photo in photos):
        own = [(photo, row) for photo, row in zip(photos, predictions, strict=True) if photo.kind == kind]
        gains = [_taken(photo, row, _LEAST_GAIN, _CAUTION) for photo, row in own]
        possible = fmean(max(*photo.gains, 0.0) for photo, _ in own)
        rows.append([kind, len(own), sum(g != 0 for g in gains), fmean(gains), possible, sum(g < -0.5 for g in gains)])
    return rows
