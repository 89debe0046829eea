"""The weight of the perceptual loss: too little leaves blur, too much leaves ghosts and wrong colours (Figure 8)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from statistics import fmean

import torch
from matplotlib.figure import Figure
from torch import Tensor

from unblur.datasets.pairs import Pair
from unblur.experiments.comparison import Comparison, compare_direction
from unblur.experiments.figures import draw_images
from unblur.experiments.golf.data import moving_scenes, scene_stream
from unblur.experiments.golf.settings import LambdaSettings
from unblur.experiments.photos import batches
from unblur.experiments.result import ExperimentResult, Say, Table
from unblur.experiments.scores import psnr_of
from unblur.experiments.training import train_briefly
from unblur.methods.golf.objective import FirstShotObjective, balanced_weight

__all__ = ["colour_shift", "run"]

_RATIOS = {"1e-10": 2e-5, "5e-6": 1.0, "2e-4": 40.0, "1e-2": 2000.0}
"""Printed λ, and what it is relative to the balanced one, 5e-6."""
_CLAIMS = {"1e-10": "leaves blur", "2e-4": "ghosts", "1e-2": "wrong colours"}
_CALIBRATION_BATCHES = 50
_SHOWN = 2
_LEAST_SHIFT = 0.001
"""Smallest change of the colour shift that counts, on the scale of [0, 1]: a quarter of a grey level of 8 bits."""


@dataclass(frozen=True)
class _Trained:
    """One network: its answers to the first crops, mean PSNR in dB, mean colour shift."""

    images: Sequence[Tensor]
    decibels: float
    shift: float


def run(settings: LambdaSettings, say: Say) -> ExperimentResult:
    """One training for each weight, from the same start; without the weights of VGG only that of the content alone."""
    crops = moving_scenes(settings.crops, settings.size)
    balance = _calibrate(settings, say) if settings.vgg else 0.0
    weights = {name: ratio * balance for name, ratio in _RATIOS.items()} if settings.vgg else {"0": 0.0}
    trained = {name: _train(weight, crops, settings, say, name) for name, weight in weights.items()}
    before = _measure([crop.blurry for crop in crops], crops)
    rows = [[name, weights[name], item.decibels, item.shift] for name, item in trained.items()]
    return ExperimentResult(
        title="The weight of the perceptual loss (Figure 8)",
        figures={"grid": _draw(trained, crops)},
        tables=(
            Table(
                "weights",
                "Mean PSNR (dB) and colour shift |mean(restored) - mean(sharp)| on the held-out moving scenes",
                ["printed λ", "weight used", "PSNR", "colour shift"],
                [["blurry image", None, before.decibels, before.shift], *rows],
            ),
        ),
        comparisons=tuple(_compare(name, trained) for name in _CLAIMS),
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
    balance = balanced_weight(objective, islice(_batches(settings, 1), _CALIBRATION_BATCHES))
    say(f"balanced weight {balance:.3g}")
    return balance


def _train(weight: float, crops: Sequence[Pair], settings: LambdaSettings, say: Say, name: str) -> _Trained:
    say(f"training with λ = {name}")
    network = _fit(settings, weight=weight, steps=settings.steps).network
    with torch.no_grad():
        return _measure([network(crop.blurry).clamp(0, 1) for crop in crops], crops)


def _measure(images: Sequence[Tensor], crops: Sequence[Pair]) -> _Trained:
    scores = [
        (psnr_of(image, crop.sharp), colour_shift(image, crop.sharp)) for image, crop in zip(images, crops, strict=True)
    ]
    return _Trained(images[:_SHOWN], *(fmean(values) for values in zip(*scores, strict=True)))


def _fit(settings: LambdaSettings, *, weight: float, steps: int) -> FirstShotObjective:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        objective = FirstShotObjective(vgg=settings.vgg, perceptual_weight=weight)

    def loss(batch: Mapping[str, Tensor]) -> Tensor:
        return torch.stack([objective.term_weights[name] * term for name, term in objective(batch).items()]).sum()

    optimiser = torch.optim.Adam(objective.network.parameters(), lr=settings.learning_rate)
    train_briefly(optimiser, loss, islice(_batches(settings, 0), steps))
    return objective


def _batches(settings: LambdaSettings, offset: int) -> Iterator[dict[str, Tensor]]:
    return batches(scene_stream(settings.photos, settings.size, settings.seed + offset), settings.batch)


def _compare(name: str, trained: Mapping[str, _Trained]) -> Comparison:
    claim, printed = f"λ = {name}", _CLAIMS[name]
    if name not in trained:
        return Comparison(claim, printed, "not run", note="needs VGG")
    middle = trained["5e-6"]
    effect = trained[name].shift - middle.shift
    ours = f"{trained[name].decibels - middle.decibels:+.2f} dB, colour shift {effect:+.4f}"
    note = "against λ = 5e-6"
    if name == "1e-2":
        return compare_direction(claim, printed, effect, least=_LEAST_SHIFT, unit="", ours=ours, note=note)
    return Comparison(claim, printed, ours, note=f"{note}; blur and ghosts are judged by eye, see the figure")


def _draw(trained: Mapping[str, _Trained], crops: Sequence[Pair]) -> Figure:
    images = [
        image
        for row in range(min(_SHOWN, len(crops)))
        for image in (
            ("blurry", crops[row].blurry),
            *((f"λ = {name}", item.images[row]) for name, item in trained.items()),
            ("sharp", crops[row].sharp),
        )
    ]
    return draw_images(images, len(trained) + 2)
