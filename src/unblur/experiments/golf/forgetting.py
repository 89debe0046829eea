"""What one network forgets of a task while it learns another: the reason for two networks (Figure 5).

Task 1 is to leave sharp images alone, P1 = PSNR(F(sharp), sharp); task 2 is to deblur, P2 = PSNR(F(blurry), sharp) -
PSNR(blurry, sharp).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import islice
from statistics import fmean
from typing import Literal, NamedTuple

import torch
from matplotlib.figure import Figure
from torch import Tensor

from unblur.backbones.golf import GolfNet, first_shot
from unblur.datasets.pairs import Pair
from unblur.experiments.comparison import Comparison, compare_direction
from unblur.experiments.figures import Line, Panel, draw_panels
from unblur.experiments.golf.data import moving_scenes, scene_stream
from unblur.experiments.golf.settings import ForgettingSettings
from unblur.experiments.photos import batches
from unblur.experiments.result import ExperimentResult, Say, Table
from unblur.experiments.scores import gain_of, psnr_of
from unblur.experiments.training import train_briefly
from unblur.losses.content import mean_square
from unblur.methods.golf.method import load_networks
from unblur.methods.golf.symmetry import keep_symmetric, make_symmetric
from unblur.training.muon import Muon
from unblur.weights.shipped import read_weights

__all__ = ["Point", "pose_task", "run"]

TaskName = Literal["keep", "deblur", "both"]

_SCHEDULES: Mapping[str, tuple[TaskName, TaskName]] = {
    "a: deblur, then keep": ("deblur", "keep"),
    "b: deblur alone": ("deblur", "deblur"),
    "c: keep, then deblur": ("keep", "deblur"),
    "d: both at once": ("both", "both"),
}
_OPTIMISERS: Mapping[str, type[torch.optim.Adam | Muon]] = {"published": torch.optim.Adam, "fast": Muon}
_CAP = 60.0
"""P1 of an exact copy, dB."""
_LEAST_GAIN = 0.05
"""Smallest difference of P2 that counts, dB."""
_LEAST_LOSS = 3.0
"""Smallest fall of P1 that counts as clear, dB."""


class Point(NamedTuple):
    """Both scores after some steps, dB."""

    step: int
    keep: float
    deblur: float


def run(settings: ForgettingSettings, say: Say) -> ExperimentResult:
    """The four schedules, each from the same first weights and on the same samples."""
    crops = moving_scenes(settings.crops, settings.size)
    curves: dict[str, list[Point]] = {}
    for name, phases in _SCHEDULES.items():
        curves[name] = _train(phases, crops, settings, lambda line, name=name: say(f"{name}: {line}"))
    return ExperimentResult(
        title="Forgetting: one network, two tasks (Figure 5)",
        figures={"forgetting": _draw(curves, settings.steps)},
        tables=(
            Table(
                "curves",
                "PSNR of sharp crops (P1) and gain on blurry crops (P2), dB",
                ["schedule", "step", "P1", "P2"],
                [[name, *point] for name, points in curves.items() for point in points],
            ),
        ),
        comparisons=_compare(curves, settings.steps),
        notes=(
            f"Two phases of {settings.steps} steps each, one state of {_OPTIMISERS[settings.learner].__name__} through "
            f"both, learning rate {settings.learning_rate:g}; {settings.batch} crops of {settings.size} pixels a step, "
            "in d half and half.",
            f"Scores on {settings.crops} fixed crops of Kodak photos, moving scenes; P1 is cut at {_CAP:g} dB. "
            + (
                f"F begins as that of {settings.start}, which was trained on both tasks at once."
                if settings.start
                else "F begins as the identity, so P1 begins at the cut."
            ),
        ),
    )


def pose_task(batch: Mapping[str, Tensor], task: TaskName) -> tuple[Tensor, Tensor]:
    """Input and target of the network."""
    blurry, sharp = batch["blurry"], batch["sharp"]
    half = {"keep": len(sharp), "deblur": 0, "both": len(sharp) // 2}[task]
    return torch.cat([sharp[:half], blurry[half:]]), sharp


def _train(phases: Sequence[TaskName], crops: Sequence[Pair], settings: ForgettingSettings, say: Say) -> list[Point]:
    network = _begin(settings)
    fast = settings.learner == "fast"
    if fast:
        make_symmetric(network)
    points = [Point(0, *_scores(network, crops))]

    def after_step(step: int, _: float, *, first: int) -> None:
        if fast:
            keep_symmetric(network)
        if (first + step) % settings.every == 0 or step == settings.steps:
            points.append(Point(first + step, *_scores(network, crops)))
            say(f"step {first + step}, P1 {points[-1].keep:.2f} dB, P2 {points[-1].deblur:+.3f} dB")

    optimiser = _OPTIMISERS[settings.learner](network.parameters(), lr=settings.learning_rate)
    samples = batches(scene_stream(settings.photos, settings.size, settings.seed), settings.batch)
    for number, task in enumerate(phases):
        train_briefly(
            optimiser,
            partial(_loss, network, task=task),
            islice(samples, settings.steps),
            precision=torch.bfloat16 if fast else torch.float32,
            after_step=partial(after_step, first=number * settings.steps),
        )
    return points


def _loss(network: GolfNet, batch: Mapping[str, Tensor], task: TaskName) -> Tensor:
    image, target = pose_task(batch, task)
    return mean_square(network(image), target).mean()


def _begin(settings: ForgettingSettings) -> GolfNet:
    if settings.start:
        return load_networks(read_weights(settings.start)).first_shot.train().requires_grad_(True)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        return first_shot(unit_contrast=settings.learner == "fast")


@torch.no_grad()
def _scores(network: GolfNet, crops: Sequence[Pair]) -> tuple[float, float]:
    """P1 and P2, means over the crops."""
    keep = fmean(psnr_of(network(crop.sharp), crop.sharp, limit=_CAP) for crop in crops)
    return keep, fmean(gain_of(network(crop.blurry), crop.blurry, crop.sharp) for crop in crops)


def _compare(curves: Mapping[str, Sequence[Point]], steps: int) -> tuple[Comparison, ...]:
    a, b, c, d = curves.values()
    a_middle, c_middle = (next(point for point in points if point.step == steps) for points in (a, c))
    return (
        compare_direction(
            "a: deblurring is forgotten while copying is learned",
            "P2 falls clearly",
            a_middle.deblur - a[-1].deblur,
            least=max(_LEAST_GAIN, 0.3 * a_middle.deblur),
            ours=f"P2 {a_middle.deblur:+.2f} dB, then {a[-1].deblur:+.2f} dB",
            note="the tolerance is 30% of the gain before",
        ),
        compare_direction("b: deblurring alone improves", "mildly", b[-1].deblur, least=_LEAST_GAIN, note="P2"),
        compare_direction(
            "c: copying is forgotten while deblurring is learned",
            "P1 falls clearly",
            c_middle.keep - c[-1].keep,
            least=_LEAST_LOSS,
            ours=f"P1 {c_middle.keep:.1f} dB, then {c[-1].keep:.1f} dB",
        ),
        compare_direction(
            "d: both at once hardly helps deblurring",
            "P2 below b",
            b[-1].deblur - d[-1].deblur,
            least=_LEAST_GAIN,
            ours=f"P2 {d[-1].deblur:+.2f} dB against {b[-1].deblur:+.2f} dB",
        ),
    )


def _draw(curves: Mapping[str, Sequence[Point]], steps: int) -> Figure:
    """P1 in the first row, P2 in the second, one column for each schedule."""
    panels = [
        Panel(
            [Line([point.step for point in points], [getattr(point, score) for point in points], style="-")],
            "step",
            f"{label}, dB",
            title=name,
            boundary=steps,
        )
        for score, label in (("keep", "P1"), ("deblur", "P2"))
        for name, points in curves.items()
    ]
    return draw_panels(panels, columns=len(curves))
