"""The motion that NeurMAP finds against the true one, image by image and as pictures (Figure 8)."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import mean
from typing import Any, NamedTuple

import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray
from torch import Tensor

from unblur.datasets.pairs import spread
from unblur.errors import DataError
from unblur.experiments.neurmap.scores import open_test_pairs
from unblur.experiments.neurmap.settings import MotionSettings
from unblur.experiments.result import Comparison, ExperimentResult, Say, Table
from unblur.images.motion_pictures import draw_wheel
from unblur.methods.apply import restore_tensor
from unblur.methods.loading import load_method
from unblur.metrics.motion import motion_field_error

__all__ = ["run"]

_LOWER = 0.3
"""By so much the error must be below that of no motion to count as found."""


class _Found(NamedTuple):
    """One test pair: images and fields `(1, c, H, W)`, errors in square pixels.

    Attributes:
        found: The motion that is seen in the photo.
        error: Of what was found.
        relative: Of what is seen in the photo less what is seen in the network's answer.
        halved: With one unit of a map taken for 20 pixels, as the released script has it.
        error_of_none: Of no motion anywhere.
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
    """The error on every test image beside those of no motion and of one motion for all, and pictures of the first."""
    found = _look(settings, say)
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
                ["image", "found", "less that of the answer", "found, by the released script's unit", "no motion"],
                [["mean", ours, relative, halved, none], *rows],
            ),
        ),
        comparisons=(
            Comparison(
                "error of the motion that is found against that of no motion",
                "a chart without numbers",
                f"{ours:.1f} against {none:.1f} square pixels, {1 - ours / none:.0%} lower",
                ours <= (1 - _LOWER) * none,
                f"matches: {_LOWER:.0%} lower or more",
            ),
            Comparison(
                "the same of the motion in the photo less that in the network's answer, as the paper measures it",
                "a chart without numbers",
                f"{relative:.1f} against {none:.1f} square pixels, {1 - relative / none:.0%} lower",
                relative <= (1 - _LOWER) * none,
                "an answer that is still blurry leaves nothing",
            ),
            Comparison(
                "the same against one motion for all images, their mean",
                "a chart without numbers",
                f"{ours:.1f} against {_error_of_mean(found):.1f} square pixels",
                ours < _error_of_mean(found),
                "fields point to the right, so even their mean beats no motion",
            ),
        ),
        notes=(f"{len(found)} pairs. In the pictures every direction has a colour; length is saturation.",),
    )


def _look(settings: MotionSettings, say: Say) -> list[_Found]:
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
    """Of the mean true motion everywhere: what is left of the mean square when the square of the mean is taken away."""
    centre = torch.stack([item.true.double().mean((0, 2, 3)) for item in found]).mean(0)
    return mean(item.error_of_none for item in found) - float(centre.square().mean())


def _draw(found: Sequence[_Found]) -> Figure:
    figure = Figure(figsize=(9, 2.2 * len(found)), layout="constrained")
    panels: Any = figure.subplots(len(found), 3, squeeze=False)
    for axes, item in zip(panels, found, strict=True):
        longest = float(item.true.square().sum(1).sqrt().max())
        axes[0].imshow(item.blurry[0].permute(1, 2, 0).numpy())
        for place, field in ((1, item.true), (2, item.found)):
            axes[place].imshow(draw_wheel(_as_array(field), longest))
    for place, title in enumerate(("blurry", "true motion", "found")):
        panels[0, place].set_title(title)
    for axes in panels.flat:
        axes.set_axis_off()
    return figure


def _as_array(field: Tensor) -> NDArray[np.float32]:
    return field[0].permute(1, 2, 0).float().numpy()
