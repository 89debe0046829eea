"""DMPHN with and without NeurMAP on the kernel-synthesised test part (Table I), and its motion error (Fig. 8a)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import mean

import torch

from unblur.datasets.pairs import Pair, spread
from unblur.experiments.comparison import Comparison
from unblur.experiments.neurmap.motion import compare_motion
from unblur.experiments.neurmap.scores import (
    Score,
    compare_gain,
    mean_psnr,
    open_test_pairs,
    score_image,
    tables_of,
)
from unblur.experiments.neurmap.settings import TableSettings
from unblur.experiments.result import ExperimentResult, Say
from unblur.methods.apply import restore_tensor
from unblur.methods.base import Method
from unblur.methods.loading import load_method
from unblur.metrics.motion import motion_field_error

__all__ = ["run"]

_ALONE, _TRAINED, _DESCENDED = "DMPHN", "DMPHN + NeurMAP", "DMPHN + NeurMAP, then descent"
_PRINTED = {_ALONE: (23.51, 0.8187, 3.948), _TRAINED: (24.44, 0.8500, 3.174)}
"""PSNR in dB, SSIM and NIQE on the kernel-synthesised test images, Table I."""


def run(settings: TableSettings, say: Say) -> ExperimentResult:
    """Scores of the blurry images, of both networks' answers and of `neurmap` as a whole; its motion beside none."""
    pairs = open_test_pairs(settings.data)
    places = spread(pairs, settings.limit or None)
    methods = {
        _ALONE: load_method("dmphn", weights=settings.baseline),
        _TRAINED: load_method("neurmap", {"steps": 0}, settings.weights),
        _DESCENDED: load_method("neurmap", weights=settings.weights),
    }
    scores: dict[str, list[Score]] = {name: [] for name in ("blurry", *methods)}
    errors: dict[str, list[tuple[float, float]]] = {_TRAINED: [], _DESCENDED: []}
    for number, place in enumerate(places, start=1):
        _score_pair(pairs[place], methods, scores, errors)
        say(f"{number} of {len(places)}  {pairs.names[place]}")
    return ExperimentResult(
        title="NeurMAP on the kernel-synthesised test images (Table I, Figure 8a)",
        figures={},
        tables=tables_of("table1", scores, _PRINTED, "Table I"),
        comparisons=(
            *(_compare_gain(scores, name) for name in errors),
            *(_compare_motion(values, name) for name, values in errors.items()),
        ),
        notes=(
            f"{len(places)} pairs; answers are rounded to 8 bits before they are scored.",
            "Descent is not in the paper: the network's answer, blurred along the motion estimated in the photo, is "
            "fitted to the photo. Its motion is that motion; without descent it is the motion estimated in the photo "
            "minus that in the answer.",
        ),
    )


def _score_pair(
    pair: Pair,
    methods: Mapping[str, Method],
    scores: dict[str, list[Score]],
    errors: dict[str, list[tuple[float, float]]],
) -> None:
    scores["blurry"].append(score_image(pair.blurry, pair.sharp))
    for name, method in methods.items():
        answer = restore_tensor(pair.blurry, method)
        scores[name].append(score_image(answer.image, pair.sharp))
        if answer.motion_field is not None and pair.motion_field is not None:
            found, none = answer.motion_field, torch.zeros_like(answer.motion_field)
            error, error_of_none = (motion_field_error(field, pair.motion_field, scale=1.0) for field in (found, none))
            errors[name].append((float(error), float(error_of_none)))


def _compare_gain(scores: Mapping[str, Sequence[Score]], name: str) -> Comparison:
    claim, gain = f"PSNR of {name} against DMPHN alone", mean_psnr(scores[name]) - mean_psnr(scores[_ALONE])
    if name != _TRAINED:
        return Comparison(claim, "not in the paper", f"{gain:+.2f} dB")
    return compare_gain(claim, _PRINTED[_TRAINED][0] - _PRINTED[_ALONE][0], gain, note="other photos and pairs")


def _compare_motion(errors: Sequence[tuple[float, float]], name: str) -> Comparison:
    claim = f"error of the motion that {name} finds against that of no motion"
    if not errors:
        return Comparison(claim, "lower", "not known", note="the pairs have no true motion, or were taken in tiles")
    found, none = (mean(values) for values in zip(*errors, strict=True))
    return compare_motion(claim, "lower", found, none)
