"""K5: interpolation between the codes of two blurs, and blurs sampled by variational weights."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from statistics import fmean

import torch
from torch import Tensor

from unblur.datasets.blur_settings import LinearBlur
from unblur.datasets.pairs import Pair
from unblur.experiments.comparison import Comparison, compare_direction
from unblur.experiments.figures import draw_images
from unblur.experiments.kernel_space.data import Space, held_out, open_space
from unblur.experiments.kernel_space.settings import WalkSettings
from unblur.experiments.result import ExperimentResult, Say, Table
from unblur.experiments.scores import psnr_of
from unblur.methods.kernel_space.operations import apply_code, extract_code, sample_code

__all__ = ["run"]

_ENDS: list[object] = [
    LinearBlur(kernel_size=17, length_min=14, length_max=14, angle_min=angle, angle_max=angle) for angle in (0, 90)
]
"""Horizontal motion, vertical motion."""
_SAMPLED = 6
_CHANCE, _LEAST = 0.5, 0.4
"""Share of the steps in the right direction without any order, and smallest share above it that counts as smooth."""


def run(settings: WalkSettings, say: Say) -> ExperimentResult:
    """Each photo under codes between that of a horizontal and that of a vertical motion."""
    space = open_space(settings.weights)
    crops = held_out([_ENDS[0]], settings.photos, space.side), held_out([_ENDS[1]], settings.photos, space.side)
    walks: list[list[tuple[float, float]]] = []
    pictures: list[Tensor] = []
    for first, second in zip(*crops, strict=True):
        images = _walk(space, first, second, settings.steps)
        walks.append([(psnr_of(image, images[0]), psnr_of(image, images[-1])) for image in images])
        pictures = pictures or images
    say(f"{len(walks)} walks of {settings.steps} steps")
    away, towards = _right_steps(walks)
    rows = [
        [place / (settings.steps - 1), *(fmean(walk[place][end] for walk in walks) for end in range(2))]
        for place in range(settings.steps)
    ]
    figures = {"walk": draw_images([("", image) for image in pictures], len(pictures))}
    if space.network.variational:
        sampled = [("", image) for image in _sampled(space, crops[0][0])]
        figures["sampled"] = draw_images(sampled, len(sampled))
    return ExperimentResult(
        title="From one blur to another",
        figures=figures,
        tables=(
            Table(
                "walk",
                "PSNR in dB against the first and the last image, means over photos; 100: equal",
                ["share of the second code", "to the first", "to the last"],
                rows,
            ),
        ),
        comparisons=(
            _compare("steps that lead away from the first blur", away),
            _compare("steps that lead nearer to the last blur", towards),
        ),
        notes=(
            f"{settings.photos} crops of Kodak photos; horizontal motion of 14 pixels, then vertical motion. "
            "Codes between are weighted means of both.",
            "Only variational weights can sample blurs." if not space.network.variational else "",
        ),
    )


def _compare(claim: str, share: float) -> Comparison:
    ours, note = f"{share:.0%}", f"counted as the share above {_CHANCE:.0%}"
    return compare_direction(
        claim, "smooth (figures only)", share - _CHANCE, least=_LEAST, unit="", form=".0%", ours=ours, note=note
    )


def _walk(space: Space, first: Pair, second: Pair, steps: int) -> list[Tensor]:
    """The first photo under the codes from that of the first pair to that of the second."""
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


def _sampled(space: Space, crop: Pair) -> list[Tensor]:
    codes = sample_code(space.network, space.side, space.side, torch.Generator().manual_seed(0), count=_SAMPLED)
    return [apply_code(space.network, crop.sharp, code[None]) for code in codes]
