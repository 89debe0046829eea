"""Training of the judges of `auto`: measures of the search's answers in, their true gain out.

The second judge sees what the refiner makes of the answers that the first takes for the best. It learns from other
photos than the first, whose predictions are better on those that it has learned from.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

import torch
from torch import Tensor, nn

from unblur.errors import SettingsError
from unblur.experiments.auto.measured import Measured, make_and_measure, measure_refined, read_measured, read_refined
from unblur.experiments.auto.second import measure_second, read_second
from unblur.experiments.auto.settings import JudgeSettings
from unblur.experiments.auto.weights import JUDGE_FILE, SECOND_JUDGE_FILE, read_refiner, read_start, write_weights
from unblur.experiments.figures import Line, Panel, draw_panels
from unblur.experiments.result import ExperimentResult, Say, Table
from unblur.methods.auto.judge import JUDGE_CONFIG, GainPrediction, Judge, best_of, lower_bound
from unblur.methods.auto.measures import MEASURES
from unblur.methods.auto.refined_measures import REFINED_MEASURES
from unblur.methods.auto.settings import AutoSettings

__all__ = ["fit_judge", "run"]

_LEAST, _MOST = -6.0, 10.0
"""Gains beyond these count as these: how badly an answer fails does not matter."""
_BATCH = 24
"""Photos of a step, with all of their answers."""
_CHOICE = 0.6
"""Weight of the gain of the answer that is chosen, per dB, against the likelihood of all gains. With 191 photos to
learn from, 77 others gained 3.21 dB with none, 3.39 with this, and 3.35 with 1, where predictions are less true."""
_DECAY, _SECOND_DECAY = 0.1, 1.0
"""Weight decay; the second judge has fewer photos to learn from."""
_SEED = 2031
_METRICS = "{} held-out photos: {:.0%} of the gainful answers kept, {:.1%} harmed, mean gain {:+.2f} dB"
_SETTINGS = AutoSettings()
_LEAST_GAIN = _SETTINGS.least_gain


def run(settings: JudgeSettings, say: Say) -> ExperimentResult:
    """Make the answers, refine and measure them, train, test on other scenes, and write the weights of `auto`."""
    make_and_measure(settings, say)
    folder = Path(settings.folder)
    refiner = read_refiner(folder)
    first, second = _divide(folder, settings.second_from)
    measure_refined(folder, "train", refiner, say, names=first)
    measure_refined(folder, "val", refiner, say)
    start = read_start(settings.start, Judge(**JUDGE_CONFIG), lambda shipped: shipped.judge)
    judge = fit_judge(read_refined(folder, "train", first), settings.steps, rate=settings.rate, start=start)
    torch.save(judge.state_dict(), folder / JUDGE_FILE)
    tables, figures = _report("The first judge", judge, read_refined(folder, "val"), caution=_SETTINGS.caution)

    held_out = sorted(read_measured(folder, "val"))
    for split, names in (("train", second), ("val", held_out)):
        measure_second(folder, split, judge, refiner, say, names=names)
    photos = read_second(folder, "train", second)
    second_judge = fit_judge(
        photos, settings.second_steps, rate=settings.rate, names=REFINED_MEASURES, decay=_SECOND_DECAY
    )
    torch.save(second_judge.state_dict(), folder / SECOND_JUDGE_FILE)
    unseen = read_second(folder, "val", held_out)
    more_tables, more_figures = _report("The second judge", second_judge, unseen, caution=_SETTINGS.second_caution)

    kept = max(more_tables[0].rows, key=lambda row: row[:2] == [_LEAST_GAIN, _SETTINGS.second_caution])
    say(f"weights of auto: {write_weights(folder, _METRICS.format(len(held_out), *kept[3:]))}")
    notes = (
        f"{len(held_out)} photos of {settings.size} pixels made of BSDS500 val; gains on brightness, wide-shift. "
        f"The first judge learned from {len(first)} photos, the second from {len(second)}.",
    )
    return ExperimentResult(
        title="The judges of auto on photos that they never saw",
        figures={**figures, **more_figures},
        tables=(*tables, *more_tables),
        comparisons=(),
        notes=notes,
    )


def _divide(folder: Path, second_from: int) -> tuple[list[str], list[str]]:
    """Files of the photos that each judge learns from."""
    files = sorted(read_measured(folder, "train"))
    first = [file for file in files if int(Path(file).stem) < second_from]
    second = [file for file in files if int(Path(file).stem) >= second_from]
    if not first or not second:
        raise SettingsError(
            f"second_from={second_from} leaves no photo for one of the judges; there are {len(files)} from 0 on"
        )
    return first, second


def fit_judge(
    photos: Sequence[Measured],
    steps: int,
    *,
    rate: float = JudgeSettings.rate,
    start: Judge | None = None,
    names: Sequence[str] = MEASURES,
    decay: float = _DECAY,
) -> Judge:
    """A judge that has learned the gains of these answers; every photo counts the same, however many answers it has.

    Args:
        photos: Measures and gains.
        steps: Steps of the training; 0: the judge stays as it starts.
        rate: Learning rate of the first step.
        start: A judge that goes on learning; it is changed. None: a new one.
        names: Of the measures that a new one has.
        decay: Weight decay.
    """
    torch.manual_seed(_SEED)
    if start is not None and steps == 0:
        return start.eval()
    inputs, gains = _tensors(photos, names if start is None else start.names)
    judge = start or _new_judge(torch.cat(inputs), names)
    optimizer = torch.optim.AdamW(judge.parameters(), lr=rate, weight_decay=decay)
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


def _new_judge(inputs: Tensor, names: Sequence[str]) -> Judge:
    judge = Judge(**JUDGE_CONFIG, names=names)
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


def _tensors(photos: Sequence[Measured], names: Sequence[str]) -> tuple[list[Tensor], list[Tensor]]:
    """Measures and gains of each photo that has answers."""
    answered = [photo for photo in photos if photo.gains]
    inputs = [torch.tensor([[measures[name] for name in names] for measures in one.measures]) for one in answered]
    return inputs, [torch.tensor(one.gains).clamp(_LEAST, _MOST) for one in answered]


def _report(
    title: str, judge: Judge, photos: Sequence[Measured], *, caution: float
) -> tuple[list[Table], dict[str, Any]]:
    """Tables and the figure of what a judge does on held-out photos."""
    answered = [photo for photo in photos if photo.gains]
    predictions = [judge.predict(photo.measures) for photo in answered]
    predicted = [one.gain for row in predictions for one in row]
    true = [min(max(gain, _LEAST), _MOST) for photo in answered for gain in photo.gains]
    correlation = _correlation(predicted, true)
    share = len(answered) / len(photos)
    rows = [
        [least, doubt, *_outcome(answered, predictions, least, doubt, share)]
        for doubt in sorted({0.0, 0.5, 1.0, 1.5, 2.0, caution})
        for least in sorted({0.0, 0.3, 0.6, _LEAST_GAIN})
    ]
    scatter = Panel([Line(predicted, true, style=".")], "predicted gain, dB", "true gain, dB")
    name = title.split()[1]
    tables = [
        Table(
            f"{name}-thresholds",
            f"{title}: what is kept and what is harmed by threshold (dB) and caution; correlation {correlation:.3f}",
            ["threshold", "caution", "answered", "gainful kept", "harmed", "mean gain"],
            rows,
        ),
        Table(
            f"{name}-kinds",
            f"{title}: by kind, at {_LEAST_GAIN:g} dB and caution {caution:g}",
            ["kind", "photos", "answered", "mean gain", "best possible", "harmed"],
            _by_kind(answered, predictions, caution),
        ),
    ]
    return tables, {f"{name}-gains": draw_panels([scatter])}


def _correlation(predicted: Sequence[float], true: Sequence[float]) -> float:
    """Of two or more pairs; of fewer it is not a number."""
    return float(torch.corrcoef(torch.tensor([predicted, true]))[0, 1]) if len(true) > 1 else math.nan


def _outcome(
    photos: Sequence[Measured],
    predictions: Sequence[Sequence[GainPrediction]],
    least: float,
    caution: float,
    share: float,
) -> list[float]:
    """Shares answered, of photos where 1 dB can be gained kept, and harmed; mean gain.

    Args:
        photos: With answers.
        predictions: Of their gains.
        least: Predicted gain from which an answer is taken.
        caution: Standard deviations that are taken off it first.
        share: Of the photos that have answers, among all; the others are unchanged.
    """
    if not photos:
        return [0.0] * 4
    gains = [_taken(photo, row, least, caution) for photo, row in zip(photos, predictions, strict=True)]
    gainful = [gain for photo, gain in zip(photos, gains, strict=True) if max(photo.gains) > 1]
    return [
        share * fmean(gain != 0 for gain in gains),
        fmean(gain > 0.5 for gain in gainful) if gainful else 0.0,
        share * fmean(gain < -0.5 for gain in gains),
        share * fmean(gains),
    ]


def _taken(photo: Measured, predictions: Sequence[GainPrediction], least: float, caution: float) -> float:
    best = best_of(predictions)[0]
    return photo.gains[best] if lower_bound(predictions[best], caution) >= least else 0.0


def _by_kind(
    photos: Sequence[Measured], predictions: Sequence[Sequence[GainPrediction]], caution: float
) -> list[list[Any]]:
    rows: list[list[Any]] = []
    for kind in dict.fromkeys(photo.kind for photo in photos):
        own = [(photo, row) for photo, row in zip(photos, predictions, strict=True) if photo.kind == kind]
        gains = [_taken(photo, row, _LEAST_GAIN, caution) for photo, row in own]
        possible = fmean(max(*photo.gains, 0.0) for photo, _ in own)
        rows.append([kind, len(own), sum(g != 0 for g in gains), fmean(gains), possible, sum(g < -0.5 for g in gains)])
    return rows
