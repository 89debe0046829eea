"""Size and time of the networks (Tables 3 to 5)."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import fmean

import torch
from torch import Tensor

from unblur.backbones.golf import GolfNet, first_shot, putt
from unblur.backbones.golf_inference import PreparedNet
from unblur.experiments.comparison import Comparison, compare_value
from unblur.experiments.figures import draw_bars
from unblur.experiments.golf.settings import RuntimeSettings
from unblur.experiments.result import ExperimentResult, Say, Table
from unblur.methods.golf.model import GolfOptimizer
from unblur.system.precision import choose_precision

__all__ = ["milliseconds", "run"]

_PRINTED_SIZES = {"first shot": 1.78, "putt": 0.46, "both": 2.24}
"""Megabytes, Table 3."""
_ROUNDING = 0.005
"""Half of the last digit of the printed sizes."""
_PRINTED_TIMES = {
    "GTX 1080 Ti": (26.87, 10.91, 16.94),
    "GTX 1080": (28.52, 15.83, 17.30),
    "GT 750M": (106.17, 35.97, 40.66),
}
"""Most, least and mean milliseconds for 256x256, Table 4."""


def run(settings: RuntimeSettings, say: Say) -> ExperimentResult:
    """Both networks timed as published and as the method runs them."""
    device = torch.device(settings.device)
    networks = GolfOptimizer(first_shot(), putt(), iters=settings.putts).to(device).requires_grad_(False)
    image = torch.rand(1, 3, settings.side, settings.side, generator=torch.Generator().manual_seed(0)).to(device)
    precision = choose_precision("auto", device)
    forms: dict[str, Callable[[], Tensor]] = {"as published": lambda: networks(image)}
    for kind in dict.fromkeys((torch.float32, precision)):
        nets = PreparedNet(networks.first_shot, device, kind), PreparedNet(networks.putt, device, kind)
        forms[f"prepared, {str(kind).removeprefix('torch.')}"] = lambda nets=nets: _chain(*nets, image, settings.putts)
    times: dict[str, list[float]] = {}
    for name, form in forms.items():
        say(name)
        times[name] = milliseconds(form, settings.warmups, settings.runs, device)
    clock = "wall time" if device.type == "cuda" else "processor time"
    where = f"{_name_of(device)}, {clock}"
    return ExperimentResult(
        title="Size and time of the Golf Optimizer (Tables 3 to 5)",
        figures={
            "times": draw_bars({name: fmean(taken) for name, taken in times.items()}, "mean milliseconds, F and putts")
        },
        tables=(_time_table(times), _size_table()),
        comparisons=(*_compare_sizes(), *_compare_times(times, where)),
        notes=(
            f"One image of {settings.side}x{settings.side} pixels, F and {settings.putts} times G, {settings.warmups} "
            f"runs before and {settings.runs} on the clock, on {where}.",
            "Weights are random: time does not depend on them.",
        ),
    )


def milliseconds(form: Callable[[], Tensor], warmups: int, runs: int, device: torch.device) -> list[float]:
    """Time of each run: processor time of this process on a processor, wall time with the device's work on a GPU."""
    taken: list[float] = []
    clock = time.perf_counter if device.type == "cuda" else time.process_time
    for number in range(warmups + runs):
        started = clock()
        form()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        if number >= warmups:
            taken.append(1000 * (clock() - started))
    return taken


def _chain(first: PreparedNet, then: PreparedNet, image: Tensor, putts: int) -> Tensor:
    latent = first.whole(image)
    for _ in range(putts):
        latent = then.whole(latent)
    return latent


def _mebibytes(network: GolfNet) -> float:
    return sum(4 * parameter.numel() for parameter in network.parameters()) / 2**20


def _size_table() -> Table:
    rows = [[name, size, _PRINTED_SIZES[name]] for name, size in _sizes().items()]
    return Table("sizes", "Size in MiB, float32 (Table 3)", ["network", "ours", "printed"], rows)


def _sizes() -> dict[str, float]:
    first, then = _mebibytes(first_shot()), _mebibytes(putt())
    return {"first shot": first, "putt": then, "both": first + then}


def _compare_sizes() -> list[Comparison]:
    return [
        compare_value(f"size of {name}", _PRINTED_SIZES[name], size, within=_ROUNDING, unit="MiB", form=".2f")
        for name, size in _sizes().items()
    ]


def _time_table(times: dict[str, list[float]]) -> Table:
    ours = [[name, max(taken), min(taken), fmean(taken)] for name, taken in times.items()]
    printed = [[f"printed, {name}", *values] for name, values in _PRINTED_TIMES.items()]
    return Table("times", "Milliseconds (Table 4)", ["form", "most", "least", "mean"], [*ours, *printed])


def _compare_times(times: dict[str, list[float]], where: str) -> list[Comparison]:
    means = {name: fmean(taken) for name, taken in times.items()}
    fastest = min(means, key=lambda name: means[name])
    printed = ", ".join(f"{values[2]} ({name})" for name, values in _PRINTED_TIMES.items())
    gain = means["as published"] / means[fastest]
    return [
        Comparison("mean milliseconds", printed, f"{means[fastest]:.0f} ({fastest}; {where})", note="other hardware"),
        Comparison("prepared against as published", "not in the paper", f"{gain:.2f} times as fast"),
    ]


def _name_of(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    threads = torch.get_num_threads()
    return f"the processor, {threads} {'thread' if threads == 1 else 'threads'}"
