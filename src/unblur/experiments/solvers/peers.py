"""Our solvers beside what a person would take instead, each given the true kernel, in one run on one thread."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from importlib.metadata import version
from statistics import fmean, median
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from unblur.datasets import open_dataset
from unblur.datasets.pairs import Pair
from unblur.errors import DataError
from unblur.experiments.figures import draw_bars
from unblur.experiments.photos import evenly
from unblur.experiments.result import ExperimentResult, Say, Table
from unblur.experiments.scores import psnr_of
from unblur.experiments.solvers.settings import PeerSettings
from unblur.solvers.names import SOLVER_NAMES
from unblur.solvers.photo import restore_with_kernel
from unblur.system.extras import import_extra

__all__ = ["run"]

Plane = NDArray[np.float64]
Solver = Callable[[Tensor, Tensor, str], Tensor]
"""From a photo `(1, C, H, W)`, its kernel and the encoding that was blurred to the restored photo."""

_RICHARDSON_LUCY_STEPS = 30
"""The default of scikit-image."""
_WIENER_BALANCE = 0.1
"""Of its example; there is no default."""
_OPENCV_SNR, _OPENCV_EDGE = 25, 31
"""Defaults of the sample deconvolution.py of OpenCV: decibels, and pixels over which the border fades out."""
_DEEPINV_NOISE, _DEEPINV_STEPS = 0.03, 20
"""Noise of its example of DPIR, and steps of the denoiser of its example of total variation."""
_COLUMNS = ("solver", "PSNR", "gain", "wins", "seconds")


def run(settings: PeerSettings, say: Say) -> ExperimentResult:
    """Every solver on every pair, one after another, so that all see the same load of the machine."""
    pairs = open_dataset(settings.suite)
    deepinv = _import_deepinv(say)
    solvers = {**_own_solvers(), **_peers(), **({} if deepinv is None else _solvers_of_deepinv(deepinv))}
    before: list[float] = []
    scores: dict[str, list[float]] = {name: [] for name in solvers}
    seconds: dict[str, list[float]] = {name: [] for name in solvers}
    with _one_thread():
        for place in evenly(len(pairs), settings.limit):
            pair = pairs[place]
            if pair.kernel is None:
                raise DataError(f"{settings.suite} has no true kernels; choose another suite")
            before.append(psnr_of(pair.blurry, pair.sharp, "shift"))
            for name, solver in solvers.items():
                restored, taken = _timed(partial(_apply, solver, pair), settings.repeats)
                scores[name].append(psnr_of(restored, pair.sharp, "shift"))
                seconds[name].append(taken)
            say(f"{pair.name}: {_best(scores)}")
    return ExperimentResult(
        title="Solvers with the true kernel, beside those of other libraries",
        figures={"psnr": draw_bars({name: fmean(values) for name, values in scores.items()}, "PSNR, dB")},
        tables=(
            Table(
                "peers",
                "PSNR in dB, protocol shift, means; pairs on which our default is better; median processor seconds",
                _COLUMNS,
                _rows(before, scores, seconds),
            ),
        ),
        comparisons=(),
        notes=(
            f"{len(before)} pairs of {settings.suite}, each solver given the true kernel, one thread; the median of "
            f"{settings.repeats} restorations of a pair, solvers in turn.",
            f"scikit-image {version('scikit-image')} and OpenCV {version('opencv-python-headless')} with their "
            "defaults, or the numbers of their examples where there is no default: nothing is tuned to the photo, and "
            "its border is not extended, because neither does so. Ours measure the noise and continue the border.",
            "OpenCV has no deconvolution among its functions; its sample deconvolution.py is written down here.",
            "deepinv was not there to be compared."
            if deepinv is None
            else f"deepinv {version('deepinv')}: its DPIR with its denoiser by total variation, for no weights are "
            "fetched, and the noise of its example; its blur is circular, so the photo's border is not extended.",
        ),
    )


def _own_solvers() -> Mapping[str, Solver]:
    def solve(name: Any, blurry: Tensor, kernel: Tensor, encoding: Any) -> Tensor:
        return restore_with_kernel(blurry, kernel, solver=name, encoding=encoding)

    return {f"unblur {name}": partial(solve, name) for name in SOLVER_NAMES}


def _peers() -> Mapping[str, Solver]:
    restoration = import_extra("skimage.restoration", "this comparison")
    return {
        "scikit-image richardson_lucy": _by_plane(partial(_richardson_lucy, restoration)),
        "scikit-image wiener": _by_plane(partial(restoration.wiener, balance=_WIENER_BALANCE)),
        "scikit-image unsupervised_wiener": _by_plane(partial(_unsupervised_wiener, restoration)),
        "OpenCV sample, Wiener": _by_plane(partial(_opencv_wiener, import_extra("cv2", "this comparison"))),
    }


def _import_deepinv(say: Say) -> Any:
    """The package, which no extra installs, for it needs torchvision; None, and a sentence: it cannot be used."""
    try:
        return import_module("deepinv")
    except Exception as error:  # a torchvision of another build fails with errors of any kind
        say(f"deepinv is left out, for it cannot be imported ({error}); install deepinv and a torchvision that fits")
        return None


def _solvers_of_deepinv(deepinv: Any) -> Mapping[str, Solver]:
    def solve(blurry: Tensor, kernel: Tensor, encoding: str) -> Tensor:
        del encoding
        denoiser = deepinv.models.TVDenoiser(n_it_max=_DEEPINV_STEPS)
        blur = deepinv.physics.BlurFFT(img_size=tuple(blurry.shape[1:]), filter=kernel)
        with torch.no_grad():
            return deepinv.optim.DPIR(sigma=_DEEPINV_NOISE, denoiser=denoiser)(blurry, blur)

    return {"deepinv DPIR, total variation": solve}


def _richardson_lucy(restoration: Any, blurry: Plane, kernel: Plane) -> Plane:
    return restoration.richardson_lucy(blurry, kernel, num_iter=_RICHARDSON_LUCY_STEPS)


def _unsupervised_wiener(restoration: Any, blurry: Plane, kernel: Plane) -> Plane:
    restored, _ = restoration.unsupervised_wiener(blurry, kernel, rng=0)
    return restored


def _opencv_wiener(cv2: Any, blurry: Plane, kernel: Plane) -> Plane:
    """The sample: border faded into a blurred copy, then one division of spectra."""
    image = _faded(cv2, blurry.astype(np.float32))
    padded = np.zeros_like(image)
    height, width = kernel.shape
    padded[:height, :width] = kernel
    spectrum = cv2.dft(padded, flags=cv2.DFT_COMPLEX_OUTPUT)
    power = (spectrum**2).sum(-1) + 10 ** (-0.1 * _OPENCV_SNR)
    inverse = spectrum / power[..., None]
    product = cv2.mulSpectrums(cv2.dft(image, flags=cv2.DFT_COMPLEX_OUTPUT), inverse, 0, conjB=True)
    restored = cv2.idft(product, flags=cv2.DFT_SCALE | cv2.DFT_REAL_OUTPUT)
    return np.roll(restored, (height // 2, width // 2), (0, 1))


def _faded(cv2: Any, image: NDArray[np.float32]) -> NDArray[np.float32]:
    margin = _OPENCV_EDGE
    wrapped = cv2.copyMakeBorder(image, margin, margin, margin, margin, cv2.BORDER_WRAP)
    blurred = cv2.GaussianBlur(wrapped, (2 * margin + 1, 2 * margin + 1), -1)[margin:-margin, margin:-margin]
    rows, columns = np.indices(image.shape)
    distance = np.minimum.reduce([columns, image.shape[1] - columns - 1, rows, image.shape[0] - rows - 1])
    share = np.minimum(distance.astype(np.float32) / margin, 1.0)
    return image * share + blurred * (1 - share)


def _by_plane(solve: Callable[[Plane, Plane], Plane]) -> Solver:
    """A function of one plane as a solver; like its users, it does not undo the encoding."""

    def solver(blurry: Tensor, kernel: Tensor, encoding: str) -> Tensor:
        del encoding
        planes = [solve(plane.double().numpy(), kernel[0, 0].double().numpy()) for plane in blurry[0]]
        return torch.from_numpy(np.stack(planes)).to(blurry)[None]

    return solver


def _apply(solver: Solver, pair: Pair) -> Tensor:
    return solver(pair.blurry, pair.kernel, pair.encoding).clamp(0, 1)  # pyright: ignore[reportArgumentType]


def _timed(work: Callable[[], Tensor], repeats: int) -> tuple[Tensor, float]:
    taken: list[float] = []
    restored = torch.empty(0)
    for _ in range(repeats):
        started = time.process_time()
        restored = work()
        taken.append(time.process_time() - started)
    return restored, median(taken)


@contextmanager
def _one_thread() -> Generator[None]:
    cv2, threads = import_extra("cv2", "this comparison"), torch.get_num_threads()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        cv2.setNumThreads(-1)


def _best(scores: Mapping[str, list[float]]) -> str:
    name = max(scores, key=lambda name: scores[name][-1])
    return f"{name} is best, {scores[name][-1]:.2f} dB"


def _rows(
    before: Sequence[float], scores: Mapping[str, list[float]], seconds: Mapping[str, list[float]]
) -> list[tuple[str, float, float, int, float]]:
    default = next(iter(scores.values()))
    return [
        (
            name,
            round(fmean(values), 2),
            round(fmean(values) - fmean(before), 2),
            sum(ours > theirs for ours, theirs in zip(default, values, strict=True)),
            round(median(seconds[name]), 4),
        )
        for name, values in scores.items()
    ]
