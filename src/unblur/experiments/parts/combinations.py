"""Every kernel estimator with every solver, with and without a refiner, on the same photos (no paper has this)."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from statistics import fmean

import torch
from torch import Tensor

from unblur.datasets.blur_settings import Sensor, ShakeBlur
from unblur.experiments.figures import draw_bars
from unblur.experiments.parts.settings import CombinationSettings
from unblur.experiments.photos import kodak_pairs
from unblur.experiments.result import ExperimentResult, Say, Table
from unblur.experiments.scores import psnr_of
from unblur.experiments.settings import split_names
from unblur.methods.apply import restore_tensor
from unblur.methods.catalog import refiner_names
from unblur.methods.kernel_method import KernelMethod
from unblur.methods.loading import load_method
from unblur.methods.options import RestoreOptions
from unblur.solvers.names import SOLVER_NAMES

__all__ = ["run"]

_SEED = 2028
_NOISE = 0.005

Combination = tuple[str, str, str]
"""Estimator, solver, refiner (empty: none)."""


def run(settings: CombinationSettings, say: Say) -> ExperimentResult:
    """Mean gain of all combinations; each kernel is estimated once for all solvers and refiners."""
    methods = {name: load_method(name) for name in split_names(settings.estimators)}
    blurs, sensor = [ShakeBlur(kernel_size=settings.kernel_size)], Sensor(noise_sigma=_NOISE)
    gains: dict[Combination, list[float]] = {
        combination: [] for combination in product(methods, SOLVER_NAMES, ("", *refiner_names()))
    }
    for number, pair in enumerate(kodak_pairs(blurs, settings.crops, settings.size, _SEED, sensor=sensor), start=1):
        before = psnr_of(pair.blurry, pair.sharp, "shift")
        for name, method in methods.items():
            options = RestoreOptions(encoding="linear")
            if name == "known-kernel":
                kernel = pair.kernel
            elif isinstance(method, KernelMethod):
                with torch.no_grad():
                    kernel = method.estimate(pair.blurry, options).kernel
            else:
                kernel = restore_tensor(pair.blurry, method, options).kernel
            for combination, series in gains.items():
                if combination[0] == name:
                    image = pair.blurry if kernel is None else _restore(pair.blurry, kernel, combination)
                    series.append(psnr_of(image, pair.sharp, "shift") - before)
        best = max(gains, key=lambda combination: gains[combination][-1])
        say(f"{number} of {settings.crops}, {pair.name}: best {_name(best)} {gains[best][-1]:+.2f} dB")
    means = {combination: fmean(values) for combination, values in gains.items()}
    return ExperimentResult(
        title="Estimators, solvers and refiners in all combinations",
        figures={"combinations": draw_bars({_name(one): means[one] for one in means}, "mean gain, dB")},
        tables=(
            Table(
                "combinations",
                "Gain over the blurry photo in dB, RGB, protocol shift: mean and worst",
                ["estimator", "solver", "refiner", "mean", "worst"],
                [[*one[:2], one[2] or "none", means[one], min(gains[one])] for one in means],
            ),
        ),
        comparisons=(),
        notes=(
            f"{settings.crops} crops of {settings.size}x{settings.size} pixels of the Kodak photos, shake in a box "
            f"of {settings.kernel_size} pixels in linear light, noise {_NOISE}; the encoding is given.",
            "known-kernel has the true kernel.",
        ),
    )


def _restore(blurry: Tensor, kernel: Tensor, combination: Combination) -> Tensor:
    options = RestoreOptions(kernel=kernel[:1], encoding="linear", solver=combination[1])
    refined = replace(options, refine=combination[2] or None)
    return restore_tensor(blurry, load_method("known-kernel"), refined).image


def _name(combination: Combination) -> str:
    return " + ".join(filter(None, combination))
