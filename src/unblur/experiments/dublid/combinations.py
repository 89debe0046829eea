"""DUBLID and blind MAP deblurring, each alone and each initialised with the kernel of the other (beyond the paper)."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import fmean

import torch
from matplotlib.figure import Figure
from torch import Tensor

from unblur.blur.kernels import fit_box
from unblur.datasets import open_dataset
from unblur.datasets.pairs import Pair
from unblur.experiments.comparison import Comparison
from unblur.experiments.dublid.settings import CombinationSettings
from unblur.experiments.photos import evenly
from unblur.experiments.result import ExperimentResult, Say, Table
from unblur.experiments.scores import psnr_of
from unblur.experiments.settings import split_names
from unblur.methods.base import ignore_step
from unblur.methods.classical_map.settings import MapSettings
from unblur.methods.dublid.model import Dublid
from unblur.methods.dublid.networks import load_network
from unblur.methods.kernel_search.answer_quality import judge
from unblur.methods.kernel_search.pyramid import HYPOTHESES, KernelSearch, estimate_kernels
from unblur.methods.kernel_search.search import find_kernel
from unblur.methods.options import RestoreOptions
from unblur.metrics.luma import luma_skimage
from unblur.solvers.photo import restore_with_kernel
from unblur.solvers.priors import PRIORS
from unblur.weights.shipped import read_weights

__all__ = ["COMBINATIONS", "run"]

_WEIGHTS = {"dublid-bsds": "dublid-linear"}
_OTHER_WEIGHTS = "dublid-motion"
_BOX = 31
"""Side of the kernel that MAP refines after the network."""
_GROUP = 2


class _Estimates:
    """Kernels and images of one photo; what several combinations share is computed once."""

    def __init__(self, blurry: Tensor, network: Dublid) -> None:
        self.blurry, self.network = blurry, network
        self._kernels: dict[str, Tensor] = {}

    def kernel(self, source: str) -> Tensor:
        """The kernel by `map`, `dublid`, `map from dublid` or `dublid from map`."""
        if source not in self._kernels:
            self._kernels[source] = {
                "map": self._by_map,
                "dublid": self._by_network,
                "map from dublid": self._by_map_from_network,
                "dublid from map": self._by_network_from_map,
            }[source]()
        return self._kernels[source]

    def solved(self, source: str) -> Tensor:
        """The image by the project's own solver with that kernel."""
        return restore_with_kernel(self.blurry, self.kernel(source), encoding="encoded")

    def retrieved(self, source: str) -> Tensor:
        """The image by the network's own last step."""
        start = fit_box(self.kernel("map"), self.network.kernel_size) if source == "dublid from map" else None
        return self.network(self.blurry, start, centred=True).image

    def _by_map(self) -> Tensor:
        settings, options = MapSettings(), RestoreOptions(encoding="encoded")
        return find_kernel(self.blurry, settings, options, ignore_step, second_pass=settings.second_pass).kernel

    def _by_network(self) -> Tensor:
        return self.network(self.blurry, centred=True).kernel

    def _by_network_from_map(self) -> Tensor:
        return self.network(self.blurry, fit_box(self.kernel("map"), self.network.kernel_size), centred=True).kernel

    def _by_map_from_network(self) -> Tensor:
        settings = MapSettings()
        (kernels,) = estimate_kernels(
            [KernelSearch(self.blurry, _BOX, HYPOTHESES, start=self.kernel("dublid"))],
            PRIORS[settings.prior],
            rounds=settings.rounds,
            pixels=settings.pixels,
            on_round=lambda _, __, ___: None,
        )
        return min(kernels.split(1), key=self._score)

    def _score(self, kernel: Tensor) -> float:
        return judge(self.blurry, kernel, restore_with_kernel(self.blurry, kernel, encoding="encoded")).score


COMBINATIONS: Mapping[str, Callable[[_Estimates], Tensor]] = {
    "dublid, retrieval": lambda estimates: estimates.retrieved("dublid"),
    "dublid, solver": lambda estimates: estimates.solved("dublid"),
    "dublid from map, retrieval": lambda estimates: estimates.retrieved("dublid from map"),
    "dublid from map, solver": lambda estimates: estimates.solved("dublid from map"),
    "map": lambda estimates: estimates.solved("map"),
    "map from dublid": lambda estimates: estimates.solved("map from dublid"),
}
"""Image by name; all in grey."""


def run(settings: CombinationSettings, say: Say) -> ExperimentResult:
    """Every combination on every pair of the sets, in grey, up to a shift."""
    names = split_names(settings.suites)
    scores = {name: _score_suite(name, settings, say) for name in names}
    rows = [[combination, *(fmean(scores[name][combination]) for name in names)] for combination in COMBINATIONS]
    return ExperimentResult(
        title="DUBLID and MAP, alone and together",
        figures={"combinations": _draw(scores)},
        tables=(Table("combinations", "Mean PSNR in dB, grey, protocol shift", ["combination", *names], rows),),
        comparisons=tuple(_best(name, scores[name]) for name in names),
        notes=(
            "Grey, blurred as encoded, seed 0; "
            + "; ".join(f"{name}: {len(next(iter(scores[name].values())))} pairs" for name in names)
            + ".",
            "MAP from DUBLID uses only the last three levels of its pyramid; DUBLID from MAP starts its first layer "
            "with the kernel of MAP instead of an impulse, for which it was not trained.",
        ),
    )


@torch.no_grad()
def _score_suite(name: str, settings: CombinationSettings, say: Say) -> dict[str, list[float]]:
    network = load_network(read_weights(settings.weights or _WEIGHTS.get(name, _OTHER_WEIGHTS)))
    network.group = _GROUP
    pairs = open_dataset(name, Path(settings.data) if settings.data else None)
    places = evenly(len(pairs), settings.limit)
    scores: dict[str, list[float]] = {combination: [] for combination in COMBINATIONS}
    for number, place in enumerate(places, start=1):
        started = time.perf_counter()
        pair: Pair = pairs[place]
        estimates, sharp = _Estimates(luma_skimage(pair.blurry), network), luma_skimage(pair.sharp)
        for combination, restore in COMBINATIONS.items():
            scores[combination].append(psnr_of(restore(estimates), sharp, "shift"))
        say(f"{name} {number} of {len(places)}, {time.perf_counter() - started:.1f} s")
    return scores


def _best(name: str, scores: dict[str, list[float]]) -> Comparison:
    best = max(scores, key=lambda combination: fmean(scores[combination]))
    return Comparison(f"best combination on {name}", "not in the paper", f"{best}, {fmean(scores[best]):.2f} dB")


def _draw(scores: dict[str, dict[str, list[float]]]) -> Figure:
    figure = Figure(figsize=(4.5 * len(scores), 3.6), layout="constrained")
    for axes, (name, values) in zip(figure.subplots(1, len(scores), squeeze=False)[0], scores.items(), strict=True):
        axes.boxplot(list(values.values()), orientation="horizontal", tick_labels=list(values))
        axes.set_title(name)
        axes.set_xlabel("PSNR in dB")
    return figure
