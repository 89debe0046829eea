"""SelfDeblur, which has one kernel, on scenes with two, with and without a teacher."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

import torch
from matplotlib.figure import Figure
from torch import Tensor

from unblur.experiments.comparison import Comparison, compare_direction
from unblur.experiments.figures import Line, Panel, draw_panels
from unblur.experiments.result import Cell, ExperimentResult, Say, Table
from unblur.experiments.selfdeblur.photos import Photo, open_photos
from unblur.experiments.selfdeblur.runs import describe, fit_photo, teacher_for
from unblur.experiments.selfdeblur.settings import NonUniformSettings
from unblur.experiments.settings import split_names
from unblur.methods.options import RestoreOptions
from unblur.metrics.alignment import align_pair
from unblur.metrics.psnr import psnr_of_error

__all__ = ["Layers", "run", "score_layers"]

_FIT_SHARE = 0.3
_WEAK = 0.1
ARMS: Mapping[str, Mapping[str, Any]] = {
    "fit": {"weak": 0.0},
    "fit, weak": {"weak": _WEAK},
    # Adam is invariant to the scale of a loss: weight 0.3 of the fit is weight 1 / 0.3 of the teacher.
    f"{_FIT_SHARE:g} fit, weak to the end": {"weak": _WEAK / _FIT_SHARE, "weak_until": 0.0},
}
_LEAST = 0.1
"""Smallest difference in dB that counts."""
_LAYERS = (
    "Two shakes in each scene: one of the background, one of an object in front of it. A pixel of the outline counts "
    "for both layers by its shares."
)
_COLUMNS = ("teacher", "arm", "whole", "background", "moving object")


@dataclass(frozen=True)
class Layers:
    """PSNR in dB of a whole scene and of each of its layers, after one shift for all of it."""

    whole: float
    background: float
    moving: float


def run(settings: NonUniformSettings, say: Say) -> ExperimentResult:
    """Every arm with every teacher on the same scenes, scored layer by layer."""
    photos = open_photos(settings.suite, settings.limit, settings.crop, settings.data, colour=settings.colour)
    found = {("-", "blurry"): [score_layers(photo.blurry, photo) for photo in photos]}
    for name in split_names(settings.teachers):
        found[name, "teacher alone"] = [_score_teacher(name, photo, settings) for photo in photos]
        for arm, changes in ARMS.items():
            found[name, arm] = [_fit(name, photo, settings, changes, seed) for photo, seed in _runs(photos, settings)]
            say(f"{name}: {arm}, {_mean(found[name, arm], 'whole'):.2f} dB")
    return ExperimentResult(
        title="SelfDeblur and its supervision where the blur is not the same everywhere",
        figures={"layers": _draw(found)},
        tables=(Table("layers", "Mean PSNR in dB, protocol shift, by layer", _COLUMNS, _rows(found)),),
        comparisons=_compare(found, split_names(settings.teachers)),
        notes=(
            describe(settings, photos, settings.suite),
            "" if settings.suite == "frames" else _LAYERS,
        ),
    )


def score_layers(restored: Tensor, photo: Photo) -> Layers:
    """PSNR of a restored scene, layer by layer.

    Args:
        restored: `(1, c, h, w)`.
        photo: The scene.
    """
    pair = align_pair(restored.clamp(0, 1), photo.sharp, "shift")
    squares = (pair.restored.double() - pair.sharp.double()).square().mean(1, keepdim=True)
    whole = torch.ones_like(squares)
    # The protocol drops the same border on all sides of the truth.
    border = (photo.sharp.shape[-1] - squares.shape[-1]) // 2
    inside = (..., slice(border, border + squares.shape[-2]), slice(border, border + squares.shape[-1]))
    mask = torch.zeros_like(squares) if photo.mask is None else photo.mask[inside].double()
    return Layers(*(_masked_psnr(squares, share) for share in (whole, 1 - mask, mask)))


def _masked_psnr(squares: Tensor, share: Tensor) -> float:
    return float(psnr_of_error((share * squares).sum() / share.sum()))  # no pixel: not a number


def _runs(photos: Sequence[Photo], settings: NonUniformSettings) -> list[tuple[Photo, int]]:
    return [(photo, seed) for photo in photos for seed in range(settings.seeds)]


def _score_teacher(name: str, photo: Photo, settings: NonUniformSettings) -> Layers:
    answer = teacher_for(name, settings, photo).restore(photo.blurry, RestoreOptions(encoding=photo.encoding))
    return score_layers(answer.image, photo)


def _fit(name: str, photo: Photo, settings: NonUniformSettings, changes: Mapping[str, Any], seed: int) -> Layers:
    done = fit_photo(photo, settings, teacher_for(name, settings, photo), changes, seed=seed)
    return score_layers(done.image, photo)


def _mean(layers: Sequence[Layers], name: str) -> float:
    """Mean over the scenes that have the layer in the part that is scored."""
    values = [value for item in layers if math.isfinite(value := getattr(item, name))]
    return fmean(values) if values else math.nan


def _rows(found: Mapping[tuple[str, str], Sequence[Layers]]) -> list[list[Cell]]:
    return [
        [teacher, arm, *(_mean(layers, name) for name in ("whole", "background", "moving"))]
        for (teacher, arm), layers in found.items()
    ]


def _compare(found: Mapping[tuple[str, str], Sequence[Layers]], names: Sequence[str]) -> tuple[Comparison, ...]:
    """The proposal expects that one kernel contradicts the photo, and that a teacher compensates for it."""
    fit, weak, strong = ARMS
    comparisons: list[Comparison] = []
    for name in names:
        psnr = {arm: _mean(found[name, arm], "whole") for arm in ("teacher alone", *ARMS)}
        comparisons += [
            compare_direction(
                f"with {name}, supervision helps where one kernel cannot explain the photo",
                "expected in the proposal",
                max(psnr[weak], psnr[strong]) - psnr[fit],
                least=_LEAST,
                ours=f"{psnr[weak] - psnr[fit]:+.2f} dB falling, {psnr[strong] - psnr[fit]:+.2f} dB to the end",
            ),
            Comparison(
                f"the fit gives more than {name} alone on such scenes",
                "not expected in the proposal",
                f"{max(psnr[arm] for arm in ARMS) - psnr['teacher alone']:+.2f} dB",
            ),
        ]
    return tuple(comparisons)


def _draw(found: Mapping[tuple[str, str], Sequence[Layers]]) -> Figure:
    names = [f"{teacher}: {arm}" for teacher, arm in found]
    lines = [
        Line([_mean(layers, layer) for layers in found.values()], names, layer, style=marker)
        for layer, marker in (("whole", "o"), ("background", "s"), ("moving", "^"))
    ]
    return draw_panels([Panel(lines, "PSNR in dB", "")])
