"""The motion that NeurMAP finds against the true one, image by image and as figures (Figure 8)."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import mean
from typing import NamedTuple

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor

from unblur.datasets.pairs import spread
from unblur.errors import DataError
from unblur.experiments.comparison import Comparison, compare_direction
from unblur.experiments.figures import draw_images
from unblur.experiments.neurmap.scores import open_test_pairs
from unblur.experiments.neurmap.settings import MotionSettings
from unblur.experiments.result import ExperimentResult, Say, Table
from unblur.images.motion_pictures import draw_wheel
from unblur.images.tensors import array_to_tensor, tensor_to_array
from unblur.methods.apply import restore_tensor
from unblur.methods.loading import load_method
from unblur.metrics.motion import motion_field_error

__all__ = ["compare_motion", "run"]

_CHART = "lower (a chart without numbers)"
_LOWER = 0.3
"""Smallest share by which an error must be lower to count."""


class _Found(NamedTuple):
    """One test pair: images and fields `(1, c, H, W)`, errors in square pixels.

    Attributes:
        name: Name of the pair.
        blurry: The blurry image.
        true: The true motion.
        found: The motion estimated in the photo.
        error: Error of `found`.
        relative: Error of the motion estimated in the photo minus that estimated in the network's answer.
        halved: Error of `found` with one unit of a map taken as 20 pixels, as in the released script.
        error_of_none: Error of no motion anywhere.
    """

    name: str
    blurry: Tensor
    true: Tensor
    found: Tensor
    error: float
    relative: float
    halved: float
    error_of_none: float


def run(settings: MotionSettings, say: Say) -> ExperimentResult:
    """Errors on every test image beside those of no motion and of one motion for all; figures of the first images."""
    found = _estimate(settings, say)
    errors = [(item.error, item.relative, item.halved, item.error_of_none) for item in found]
    ours, relative, halved, none = (mean(values) for values in zip(*errors, strict=True))
    rows = [[item.name, *values] for item, values in zip(found, errors, strict=True)]
    return ExperimentResult(
        title="The motion that NeurMAP finds (Figure 8)",
        figures={"motion": _draw(found[: settings.shown])} if settings.shown else {},
        tables=(
            Table(
                "motion",
                "Mean squared error of the motion in square pixels, over both components and all pixels",
                ["image", "found", "minus that of the answer", "found, by the released script's unit", "no motion"],
                [["mean", ours, relative, halved, none], *rows],
            ),
        ),
        comparisons=(
            compare_motion("error of the motion found against that of no motion", _CHART, ours, none),
            compare_motion(
                "the same of the motion in the photo minus that in the network's answer, as the paper measures it",
                _CHART,
                relative,
                none,
                "an answer that is still blurry leaves no difference",
            ),
            compare_motion(
                "error of the motion found against that of one motion for all images, their mean",
                _CHART,
                ours,
                _error_of_mean(found),
                "fields point to the right, so even their mean is better than no motion",
            ),
        ),
        notes=(f"{len(found)} pairs. In the figure hue is direction and saturation is length.",),
    )


def compare_motion(claim: str, printed: str, error: float, other: float, note: str = "") -> Comparison:
    """An error in square pixels against another one, by the share that it is lower."""
    lower = 1 - error / other
    ours = f"{error:.1f} against {other:.1f} square pixels, {abs(lower):.0%} {'lower' if lower > 0 else 'higher'}"
    return compare_direction(claim, printed, lower, least=_LOWER, unit="lower", form=".0%", ours=ours, note=note)


def _estimate(settings: MotionSettings, say: Say) -> list[_Found]:
    pairs = open_test_pairs(settings.data)
    places = spread(pairs, settings.limit or None)
    of_photo, of_both = (load_method("neurmap", {"steps": steps}, settings.weights) for steps in (1, 0))
    items: list[_Found] = []
    for number, place in enumerate(places, start=1):
        pair = pairs[place]
        field, relative = (restore_tensor(pair.blurry, method).motion_field for method in (of_photo, of_both))
        if field is None or relative is None or pair.motion_field is None:
            raise DataError(f"{pair.name}: its motion cannot be compared; it must be known and fit into one tile")
        choices = (field, relative, field / 2, torch.zeros_like(field))
        errors = [float(motion_field_error(choice, pair.motion_field, scale=1.0)) for choice in choices]
        items.append(_Found(pair.name, pair.blurry, pair.motion_field, field, *errors))
        say(f"{number} of {len(places)}  {pair.name}: {errors[0]:.1f}, no motion {errors[-1]:.1f}")
    return items


def _error_of_mean(found: Sequence[_Found]) -> float:
    """Error of the mean true motion everywhere: the mean square minus the square of the mean."""
    centre = torch.stack([item.true.double().mean((0, 2, 3)) for item in found]).mean(0)
    return mean(item.error_of_none for item in found) - float(centre.square().mean())


def _draw(found: Sequence[_Found]) -> Figure:
    images: list[tuple[str, Tensor]] = []
    for item in found:
        longest = float(item.true.square().sum(1).sqrt().max())
        images.append((item.name, item.blurry))
        images += [(title, _colour(field, longest)) for title, field in (("true", item.true), ("found", item.found))]
    return draw_images(images, columns=3)


def _colour(field: Tensor, longest: float) -> Tensor:
    """A motion field as colours `(1, 3, h, w)` in [0, 1]."""
    return array_to_tensor((draw_wheel(tensor_to_array(field), longest) / 255).astype(np.float32))
