"""Why the optimizer has two networks: what one network forgets of a task while it learns another (Figure 5).

Task 1 is to leave sharp images alone, P1 = PSNR(F(sharp), sharp); task 2 is to deblur, P2 = PSNR(F(blurry), sharp) -
PSNR(blurry, sharp).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import torch
from matplotlib.figure import Figure
from torch import Tensor

from unblur.experiments.golf.data import Crops, batches, dynamic_crops, scene_stream
from unblur.experiments.golf.settings import ForgettingSettings
from unblur.experiments.result import Comparison, ExperimentResult, Say, Table
from unblur.losses.content import mean_square
from unblur.methods.golf.method import load_networks
from unblur.methods.golf.model import GolfNet, first_shot
from unblur.methods.golf.symmetry import keep_symmetric, make_symmetric
from unblur.metrics.psnr import psnr
from unblur.training.muon import Muon
from unblur.weights.shipped import read_weights

__all__ = ["Point", "pose_task", "run"]

Task = Literal["keep", "deblur", "both"]

_SCHEDULES: Mapping[str, tuple[Task, Task]] = {
    "a: deblur, then keep": ("deblur", "keep"),
    "b: deblur alone": ("deblur", "deblur"),
    "c: keep, then deblur": ("keep", "deblur"),
    "d: both at once": ("both", "both"),
}
_OPTIMISERS: Mapping[str, type[torch.optim.Adam | Muon]] = {"published": torch.optim.Adam, "fast": Muon}
_CAP = 60.0
"""P1 of an exact copy, dB."""


class Point(NamedTuple):
    """Both scores after some steps, dB."""

    step: int
    keep: float
    deblur: float


def run(settings: ForgettingSettings, say: Say) -> ExperimentResult:
    """The four schedules, each from the same first weights and on the same samples."""
    crops = dynamic_crops(settings.crops, settings.size)
    curves: dict[str, list[Point]] = {}
    for name, phases in _SCHEDULES.items():
        curves[name] = _train(phases, crops, settings, lambda told, name=name: say(f"{name}: {told}"))
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
                f"F begins as that of {settings.start}, which has learned both tasks at once."
                if settings.start
                else "F begins as the identity, so P1 begins at the cut."
            ),
        ),
    )


def pose_task(batch: Mapping[str, Tensor], task: Task) -> tuple[Tensor, Tensor]:
    """What the network gets and what it should answer."""
    blurry, sharp = batch["blurry"], batch["sharp"]
    half = {"keep": len(sharp), "deblur": 0, "both": len(sharp) // 2}[task]
    return torch.cat([sharp[:half], blurry[half:]]), sharp


def _train(phases: Sequence[Task], crops: Crops, settings: ForgettingSettings, say: Say) -> list[Point]:
    network = _begin(settings)
    fast = settings.learner == "fast"
    if fast:
        make_symmetric(network)
    optimiser = _OPTIMISERS[settings.learner](network.parameters(), lr=settings.learning_rate)
    stream = batches(scene_stream(settings.photos, settings.size, settings.seed), settings.batch)
    points = [Point(0, *_scores(network, crops))]
    for step in range(1, len(phases) * settings.steps + 1):
        given, wanted = pose_task(next(stream), phases[(step - 1) // settings.steps])
        optimiser.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=fast):
            answer = network(given)
        mean_square(answer, wanted).mean().backward()
        optimiser.step()
        if fast:
            keep_symmetric(network)
        if step % settings.every == 0 or step % settings.steps == 0:
            points.append(Point(step, *_scores(network, crops)))
            say(f"step {step}, P1 {points[-1].keep:.2f} dB, P2 {points[-1].deblur:+.3f} dB")
    return points


def _begin(settings: ForgettingSettings) -> GolfNet:
    if settings.start:
        return load_networks(read_weights(settings.start)).first_shot.train().requires_grad_(True)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        return first_shot(unit_contrast=settings.learner == "fast")


@torch.no_grad()
def _scores(network: GolfNet, crops: Crops) -> tuple[float, float]:
    keep, deblur = 0.0, 0.0
    for blurry, sharp in zip(crops.blurry.split(1), crops.sharp.split(1), strict=True):
        keep += min(_decibels(network(sharp).clamp(0, 1), sharp), _CAP)
        deblur += _decibels(network(blurry).clamp(0, 1), sharp) - _decibels(blurry, sharp)
    return keep / len(crops.sharp), deblur / len(crops.sharp)


def _decibels(image: Tensor, sharp: Tensor) -> float:
    return float(psnr(image, sharp, data_range=1.0))


def _compare(curves: Mapping[str, Sequence[Point]], steps: int) -> tuple[Comparison, ...]:
    a, b, c, d = curves.values()
    lost_gain = _at(a, steps).deblur - a[-1].deblur
    lost_copy = _at(c, steps).keep - c[-1].keep
    return (
        Comparison(
            "a: deblurring is forgotten while copying is learned",
            "P2 falls clearly",
            f"P2 {_at(a, steps).deblur:+.2f} dB, then {a[-1].deblur:+.2f} dB: {lost_gain:.2f} dB lost",
            lost_gain > max(0.05, 0.3 * _at(a, steps).deblur),
        ),
        Comparison("b: deblurring alone improves", "mildly", f"P2 {b[-1].deblur:+.2f} dB at the end", b[-1].deblur > 0),
        Comparison(
            "c: copying is forgotten while deblurring is learned",
            "P1 falls clearly",
            f"P1 {_at(c, steps).keep:.1f} dB, then {c[-1].keep:.1f} dB: {lost_copy:.1f} dB lost",
            lost_copy > 3,
        ),
        Comparison(
            "d: both at once hardly helps deblurring",
            "P2 below b",
            f"P2 {d[-1].deblur:+.2f} dB against {b[-1].deblur:+.2f} dB",
            d[-1].deblur < b[-1].deblur,
        ),
    )


def _at(points: Sequence[Point], step: int) -> Point:
    return next(point for point in points if point.step == step)


def _draw(curves: Mapping[str, Sequence[Point]], steps: int) -> Figure:
    figure = Figure(figsize=(11, 7), layout="constrained")
    panels: Any = figure.subplots(2, 2)
    for axes, (name, points) in zip(panels.flat, curves.items(), strict=True):
        other = axes.twinx()
        along = [point.step for point in points]
        axes.plot(along, [point.keep for point in points], color="tab:blue")
        other.plot(along, [point.deblur for point in points], color="tab:red")
        axes.axvline(steps, color="grey", linewidth=0.8)
        axes.set(title=name, xlabel="step")
        axes.set_ylabel("P1, dB", color="tab:blue")
        other.set_ylabel("P2, dB", color="tab:red")
    return figure
