"""K5: on the way from one code to another the blur changes step by step; and blurs that variational weights invent."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from statistics import fmean

import torch
from matplotlib.figure import Figure
from torch import Tensor

from unblur.datasets.blur_settings import LinearBlur
from unblur.experiments.kernel_space.data import Crop, Space, decibels, held_out, open_space
from unblur.experiments.kernel_space.settings import WalkSettings
from unblur.experiments.result import Comparison, ExperimentResult, Say, Table
from unblur.methods.kernel_space.operations import apply_code, extract_code, sample_code

__all__ = ["run"]

_ENDS: list[object] = [
    LinearBlur(kernel_size=17, length_min=14, length_max=14, angle_min=angle, angle_max=angle) for angle in (0, 90)
]
"""Horizontal motion, vertical motion."""
_INVENTED = 6
_ENOUGH = 0.9
"""Share of the steps that have to lead in the right direction."""


def run(settings: WalkSettings, say: Say) -> ExperimentResult:
    """Each photo from the code of a horizontal motion to that of a vertical one."""
    space = open_space(settings.weights)
    crops = held_out([_ENDS[0]], settings.photos, space.side), held_out([_ENDS[1]], settings.photos, space.side)
    walks: list[list[tuple[float, float]]] = []
    pictures: list[Tensor] = []
    for first, second in zip(*crops, strict=True):
        images = _walk(space, first, second, settings.steps)
        walks.append([(decibels(image, images[0]), decibels(image, images[-1])) for image in images])
        pictures = pictures or images
    say(f"{len(walks)} walks of {settings.steps} steps")
    away, towards = _right_steps(walks)
    rows = [
        [place / (settings.steps - 1), *(fmean(walk[place][end] for walk in walks) for end in range(2))]
        for place in range(settings.steps)
    ]
    figures = {"walk": _draw(pictures)}
    if space.network.variational:
        figures["invented"] = _draw(_invented(space, crops[0][0]))
    return ExperimentResult(
        title="A walk from one blur to another",
        figures=figures,
        tables=(
            Table(
                "walk",
                "PSNR in dB against the first and the last image of the walk, means over photos; 99: equal",
                ["share of the way", "to the first", "to the last"],
                rows,
            ),
        ),
        comparisons=(
            Comparison(
                "each step leads away from the first blur", "smooth (figures only)", f"{away:.0%}", away >= _ENOUGH
            ),
            Comparison("and nearer to the last one", "smooth (figures only)", f"{towards:.0%}", towards >= _ENOUGH),
        ),
        notes=(
            f"{settings.photos} crops of Kodak photos; horizontal motion of 14 pixels, then vertical motion. "
            "Codes on the way are weighted means of both ends.",
            "Blurs are invented by variational weights only." if not space.network.variational else "",
        ),
    )


def _walk(space: Space, first: Crop, second: Crop, steps: int) -> list[Tensor]:
    """The first photo under the codes between those of both pairs."""
    ends = [extract_code(space.network, crop.sharp, crop.blurry) for crop in (first, second)]
    shares = torch.linspace(0, 1, steps).tolist()
    return [apply_code(space.network, first.sharp, torch.lerp(ends[0], ends[1], share)) for share in shares]


def _right_steps(walks: Sequence[Sequence[tuple[float, float]]]) -> tuple[float, float]:
    """Shares of the steps that lead away from the start, and towards the end."""
    steps = [(before, after) for walk in walks for before, after in pairwise(walk)]
    return (
        fmean(after[0] < before[0] for before, after in steps),
        fmean(after[1] > before[1] for before, after in steps),
    )


def _invented(space: Space, crop: Crop) -> list[Tensor]:
    codes = sample_code(space.network, space.side, space.side, torch.Generator().manual_seed(0), count=_INVENTED)
    return [apply_code(space.network, crop.sharp, code[None]) for code in codes]


def _draw(images: Sequence[Tensor]) -> Figure:
    figure = Figure(figsize=(1.6 * len(images), 1.8), layout="constrained")
    for place, image in enumerate(images, start=1):
        axes = figure.add_subplot(1, len(images), place)
        axes.imshow(image[0].permute(1, 2, 0).numpy())
        axes.set_axis_off()
    return figure
