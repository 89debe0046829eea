"""The weight of the perceptual loss: too little leaves blur, too much leaves ghosts and wrong colours (Figure 8)."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import Any

import torch
from matplotlib.figure import Figure
from torch import Tensor

from unblur.experiments.golf.data import Crops, batches, dynamic_crops, scene_stream
from unblur.experiments.golf.settings import LambdaSettings
from unblur.experiments.result import Comparison, ExperimentResult, Say, Table
from unblur.methods.golf.objective import FirstShotObjective, balanced_weight
from unblur.metrics.psnr import psnr

__all__ = ["colour_shift", "run"]

_RATIOS = {"1e-10": 2e-5, "5e-6": 1.0, "2e-4": 40.0, "1e-2": 2000.0}
"""Printed λ, and what it is relative to the balanced one, 5e-6."""
_CALIBRATION_BATCHES = 50


@dataclass(frozen=True)
class _Trained:
    """One network: its answers to the first crops, mean PSNR in dB, mean colour shift."""

    images: Tensor
    decibels: float
    shift: float


def run(settings: LambdaSettings, say: Say) -> ExperimentResult:
    """One training for each weight, from the same start; without the weights of VGG only that of the content alone."""
    crops = dynamic_crops(settings.crops, settings.size)
    balance = _calibrate(settings, say) if settings.vgg else 0.0
    weights = {name: ratio * balance for name, ratio in _RATIOS.items()} if settings.vgg else {"0": 0.0}
    trained = {name: _train(weight, crops, settings, say, name) for name, weight in weights.items()}
    blurry = float(psnr(crops.blurry, crops.sharp, data_range=1.0).mean())
    rows = [[name, weights[name], item.decibels, item.shift] for name, item in trained.items()]
    return ExperimentResult(
        title="The weight of the perceptual loss (Figure 8)",
        figures={"grid": _draw(trained, crops)},
        tables=(
            Table(
                "weights",
                "Mean PSNR (dB) and colour shift |mean(restored) - mean(sharp)| on the held-out moving scenes",
                ["printed λ", "weight used", "PSNR", "colour shift"],
                [["blurry image", None, blurry, colour_shift(crops.blurry, crops.sharp)], *rows],
            ),
        ),
        comparisons=_compare(trained),
        notes=(
            f"{settings.steps} steps of {settings.batch} crops of {settings.size} pixels each, Adam, learning rate "
            f"{settings.learning_rate:g}, constant.",
            "Only the ratio of the terms matters: printed weights are taken relative to 5e-6, which is said to balance "
            "them, and the balance is measured after a tenth of the steps without the perceptual term."
            if settings.vgg
            else "The weights of VGG-11 were not given (--set vgg=FILE): λ = 0, and the claims cannot be tested.",
        ),
    )


def colour_shift(restored: Tensor, sharp: Tensor) -> float:
    """Mean over images and channels of the difference of mean values, in [0, 1]."""
    return float((restored.mean((-2, -1)) - sharp.mean((-2, -1))).abs().mean())


def _calibrate(settings: LambdaSettings, say: Say) -> float:
    """The weight that balances both terms after some training without the perceptual one."""
    objective = _fit(settings, weight=0.0, steps=max(settings.steps // 10, 1))
    balance = balanced_weight(objective, islice(_stream(settings, 1), _CALIBRATION_BATCHES))
    say(f"balanced weight {balance:.3g}")
    return balance


def _train(weight: float, crops: Crops, settings: LambdaSettings, say: Say, name: str) -> _Trained:
    say(f"training with λ = {name}")
    network = _fit(settings, weight=weight, steps=settings.steps).network
    with torch.no_grad():
        restored = torch.cat([network(blurry).clamp(0, 1) for blurry in crops.blurry.split(1)])
    decibels = float(psnr(restored, crops.sharp, data_range=1.0).mean())
    return _Trained(restored[:2], decibels, colour_shift(restored, crops.sharp))


def _fit(settings: LambdaSettings, *, weight: float, steps: int) -> FirstShotObjective:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        objective = FirstShotObjective(vgg=settings.vgg, perceptual_weight=weight)
    optimiser = torch.optim.Adam(objective.network.parameters(), lr=settings.learning_rate)
    for batch in islice(_stream(settings, 0), steps):
        optimiser.zero_grad()
        terms = objective(batch)
        torch.stack([objective.term_weights[name] * term for name, term in terms.items()]).sum().backward()
        optimiser.step()
    return objective


def _stream(settings: LambdaSettings, offset: int) -> Any:
    return batches(scene_stream(settings.photos, settings.size, settings.seed + offset), settings.batch)


def _compare(trained: dict[str, _Trained]) -> tuple[Comparison, ...]:
    claims = {"1e-10": "leaves blur", "2e-4": "ghosts", "1e-2": "wrong colours"}
    if "5e-6" not in trained:
        return tuple(Comparison(f"λ = {name}", claim, "not run", note="needs VGG") for name, claim in claims.items())
    middle = trained["5e-6"]
    return tuple(
        Comparison(
            f"λ = {name}",
            claim,
            f"{trained[name].decibels - middle.decibels:+.2f} dB, colour shift {trained[name].shift:.4f}",
            trained[name].shift > middle.shift if name == "1e-2" else None,
            "against λ = 5e-6; blur and ghosts are for the eye, see the picture",
        )
        for name, claim in claims.items()
    )


def _draw(trained: dict[str, _Trained], crops: Crops) -> Figure:
    columns = {"blurry": crops.blurry, **{f"λ = {name}": item.images for name, item in trained.items()}}
    columns["sharp"] = crops.sharp
    figure = Figure(figsize=(3 * len(columns), 6), layout="constrained")
    panels: Any = figure.subplots(2, len(columns))
    for column, (name, images) in enumerate(columns.items()):
        for row, axes in enumerate(panels[:, column]):
            axes.imshow(images[min(row, len(images) - 1)].permute(1, 2, 0).numpy())
            axes.set_axis_off()
            axes.set_title(name if row == 0 else "")
    return figure
