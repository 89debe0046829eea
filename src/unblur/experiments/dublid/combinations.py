"""DUBLID and blind MAP deblurring, each alone and each begun with the kernel of the other (beyond the paper)."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import fmean

import torch
import torch.nn.functional as F  # noqa: N812 - the name that everyone gives it
from matplotlib.figure import Figure
from torch import Tensor

from unblur.datasets import open_dataset
from unblur.datasets.pairs import Pair
from unblur.experiments.dublid.settings import CombinationSettings
from unblur.experiments.result import Comparison, ExperimentResult, Say, Table
from unblur.methods.base import ignore_step
from unblur.methods.classical_map.answer_quality import judge
from unblur.methods.classical_map.pyramid import HYPOTHESES, KernelSearch, estimate_kernels
from unblur.methods.classical_map.search import find_kernel
from unblur.methods.classical_map.settings import MapSettings
from unblur.methods.dublid.method import load_network
from unblur.methods.dublid.model import Dublid
from unblur.methods.options import RestoreOptions
from unblur.metrics.luma import luma_skimage
from unblur.metrics.score import score
from unblur.solvers.photo import restore_with_kernel
from unblur.solvers.priors import PRIORS
from unblur.weights.shipped import read_weights

__all__ = ["WAYS", "run"]

_WEIGHTS = {"dublid-bsds": "dublid-linear"}
_OTHER_WEIGHTS = "dublid-motion"
_BOX = 31
"""Side of the box in which MAP goes on with a kernel of the network."""
_GROUP = 2


class _Bench:
    """Everything that is found of one pair; what several ways share is found once."""

    def __init__(self, blurry: Tensor, network: Dublid) -> None:
        self.blurry, self.network = blurry, network
        self._found: dict[str, Tensor] = {}

    def kernel(self, way: str) -> Tensor:
        """The kernel by `map`, `dublid`, `map from dublid` or `dublid from map`."""
        if way not in self._found:
            self._found[way] = {
                "map": self._by_map,
                "dublid": self._by_network,
                "map from dublid": self._by_map_from_network,
                "dublid from map": self._by_network_from_map,
            }[way]()
        return self._found[way]

    def solved(self, way: str) -> Tensor:
        """The image by the project's own solver with that kernel."""
        return restore_with_kernel(self.blurry, self.kernel(way), light="encoded")[0]

    def retrieved(self, way: str) -> Tensor:
        """The image by the network's own last step."""
        start = _in_box(self.kernel("map"), self.network.kernel_size) if way == "dublid from map" else None
        return self.network(self.blurry, start, centred=True).image

    def _by_map(self) -> Tensor:
        return find_kernel(self.blurry, MapSettings(), RestoreOptions(encoding="encoded"), ignore_step).kernel

    def _by_network(self) -> Tensor:
        return self.network(self.blurry, centred=True).kernel

    def _by_network_from_map(self) -> Tensor:
        return self.network(self.blurry, _in_box(self.kernel("map"), self.network.kernel_size), centred=True).kernel

    def _by_map_from_network(self) -> Tensor:
        settings = MapSettings()
        (kernels,) = estimate_kernels(
            [KernelSearch(self.blurry, _BOX, HYPOTHESES, start=self.kernel("dublid"))],
            PRIORS[settings.prior],
            rounds=settings.rounds,
            pixels=settings.pixels,
            on_round=lambda _, __: None,
        )
        return min(kernels.split(1), key=self._score)

    def _score(self, kernel: Tensor) -> float:
        return judge(self.blurry, kernel, *restore_with_kernel(self.blurry, kernel, light="encoded")).score


WAYS: Mapping[str, Callable[[_Bench], Tensor]] = {
    "dublid, retrieval": lambda bench: bench.retrieved("dublid"),
    "dublid, solver": lambda bench: bench.solved("dublid"),
    "dublid from map, retrieval": lambda bench: bench.retrieved("dublid from map"),
    "dublid from map, solver": lambda bench: bench.solved("dublid from map"),
    "map": lambda bench: bench.solved("map"),
    "map from dublid": lambda bench: bench.solved("map from dublid"),
}
"""Image from a pair, by name; all in grey."""


def run(settings: CombinationSettings, say: Say) -> ExperimentResult:
    """Every way on every pair of the sets, in grey, up to a shift."""
    names = [name.strip() for name in settings.suites.split(",")]
    scores = {name: _score_suite(name, settings, say) for name in names}
    rows = [[way, *(fmean(scores[name][way]) for name in names)] for way in WAYS]
    return ExperimentResult(
        title="DUBLID and MAP, alone and together",
        figures={"combinations": _draw(scores)},
        tables=(Table("combinations", "Mean PSNR in dB, grey, protocol shift", ["way", *names], rows),),
        comparisons=tuple(_best(name, scores[name]) for name in names),
        notes=(
            "Grey, blurred as encoded, seed 0; "
            + "; ".join(f"{name}: {len(next(iter(scores[name].values())))} pairs" for name in names)
            + ".",
            "MAP from DUBLID goes through the last three levels of its pyramid only; DUBLID from MAP begins its first "
            "layer with the kernel of MAP instead of an impulse, for which it was not trained.",
        ),
    )


@torch.no_grad()
def _score_suite(name: str, settings: CombinationSettings, say: Say) -> dict[str, list[float]]:
    network = load_network(read_weights(settings.weights or _WEIGHTS.get(name, _OTHER_WEIGHTS)))
    network.group = _GROUP
    pairs = open_dataset(name, Path(settings.data) if settings.data else None)
    count = min(settings.limit or len(pairs), len(pairs))
    scores: dict[str, list[float]] = {way: [] for way in WAYS}
    for number in range(count):
        started = time.perf_counter()
        pair: Pair = pairs[number * len(pairs) // count]
        bench, sharp = _Bench(luma_skimage(pair.blurry), network), luma_skimage(pair.sharp)
        for way, restore in WAYS.items():
            scores[way].append(float(score(restore(bench).clamp(0, 1), sharp, "shift").psnr))
        say(f"{name} {number + 1} of {count}, {time.perf_counter() - started:.1f} s")
    return scores


def _best(name: str, scores: dict[str, list[float]]) -> Comparison:
    best = max(scores, key=lambda way: fmean(scores[way]))
    return Comparison(f"best way on {name}", "not in the paper", f"{best}, {fmean(scores[best]):.2f} dB")


def _draw(scores: dict[str, dict[str, list[float]]]) -> Figure:
    figure = Figure(figsize=(4.5 * len(scores), 3.6), layout="constrained")
    for axes, (name, by_way) in zip(figure.subplots(1, len(scores), squeeze=False)[0], scores.items(), strict=True):
        axes.boxplot(list(by_way.values()), orientation="horizontal", tick_labels=list(by_way))
        axes.set_title(name)
        axes.set_xlabel("PSNR in dB")
    return figure


def _in_box(kernel: Tensor, side: int) -> Tensor:
    """The kernel with zeros around it, or its middle."""
    margin = (side - kernel.shape[-1]) // 2
    boxed = F.pad(kernel, (margin,) * 4)
    return boxed / boxed.sum((-2, -1), keepdim=True)
