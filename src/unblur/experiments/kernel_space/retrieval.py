"""K1: the blur found in one pair, given to another photo that was blurred by the same kernel."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

import torch
import torch.nn.functional as F  # noqa: N812 - the name that everyone gives it
from matplotlib.figure import Figure
from torch import Tensor

from unblur.blur.convolve import convolve
from unblur.blur.kernels import kernel_from_trajectory
from unblur.blur.trajectories import sample_motion_path
from unblur.datasets.folders import find_root
from unblur.datasets.levin import levin_kernels
from unblur.datasets.photos import kodak
from unblur.experiments.kernel_space.data import Space, decibels, open_space
from unblur.experiments.kernel_space.settings import RetrievalSettings
from unblur.experiments.result import Cell, Comparison, ExperimentResult, Say, Table
from unblur.images.tensors import linear_to_srgb, srgb_to_linear
from unblur.methods.kernel_space.operations import apply_code, extract_code

__all__ = ["run"]

_SEED = 2021
_COLUMNS = (
    "kernels", "kernel", "same photo", "other photo", "other photo, code of another kernel", "other photo unblurred",
    "gain same", "gain other",
)  # fmt: skip
_WANTED = 3.0
"""dB: least gain for the claim to hold."""
_TOLD_APART = 1.0
"""dB: least lead over the code of another kernel, without which the gain is that of an average blur."""


def run(settings: RetrievalSettings, say: Say) -> ExperimentResult:
    """Each kernel on some pairs of photos: code from the first, blur on the second."""
    space = open_space(settings.weights)
    kernels = {"as in training": _drawn(settings), "unseen": _levin(settings)}
    rows: list[list[Cell]] = []
    pictures: list[Tensor] = []
    for family, members in kernels.items():
        for number, kernel in enumerate(members, start=1):
            scores, picture = _score(space, kernel, members[number % len(members)], settings.photos)
            same, other, strange, before_same, before = (fmean(values) for values in zip(*scores, strict=True))
            rows.append([family, number, same, other, strange, before, same - before_same, other - before])
            pictures.append(picture)
            gain, own = other - before, other - strange
            say(f"{family}, kernel {number}: {gain:+.2f} dB on another photo, {own:+.2f} dB over another code")
    return ExperimentResult(
        title="Kernel retrieval: a blur found in one pair and given to another photo",
        figures={"retrieval": _draw(pictures, kernels)},
        tables=(Table("retrieval", "PSNR of F(x, k) against y in dB, means over pairs of photos", _COLUMNS, rows),),
        comparisons=tuple(comparison for family in kernels for comparison in _compare(family, rows)),
        notes=(
            f"{settings.photos} pairs of {space.side}x{space.side} pixels of Kodak photos for each kernel, blurred in "
            "linear light, without noise. k = G(x1, y1); same photo: F(x1, k) against y1; other photo: F(x2, k) "
            "against y2, both blurred by one kernel; code of another kernel: the same with x1 blurred by the next; "
            "unblurred: x2 against y2.",
            f"As in training: random camera shake of {settings.kernel_size} pixels. Unseen: Levin's measured kernels, "
            "larger ones shrunk to that size.",
        ),
    )


def _drawn(settings: RetrievalSettings) -> list[Tensor]:
    size = settings.kernel_size
    generator = torch.Generator().manual_seed(_SEED)
    paths = (sample_motion_path(size, generator, length=(size / 4, 1.5 * size)) for _ in range(settings.kernels))
    return [kernel_from_trajectory(path, size).float() for path in paths]


def _levin(settings: RetrievalSettings) -> list[Tensor]:
    size = settings.kernel_size
    kernels = [kernel.float() for kernel in levin_kernels(find_root(None))[: settings.kernels]]
    shrunk = [
        F.interpolate(kernel, (size, size), mode="bilinear", antialias=True) if kernel.shape[-1] > size else kernel
        for kernel in kernels
    ]
    return [kernel / kernel.sum() for kernel in shrunk]


def _score(space: Space, kernel: Tensor, another: Tensor, count: int) -> tuple[list[tuple[float, ...]], Tensor]:
    """PSNR on the same photo, on another one, on that with another kernel's code, of both unblurred; and a picture."""
    scores: list[tuple[float, ...]] = []
    picture = torch.zeros(1)
    for number in range(count):
        (x1, y1), (x2, y2) = (_pair(kernel, 2 * number + place, space.side) for place in range(2))
        code = extract_code(space.network, x1, y1)
        same, other = apply_code(space.network, x1, code), apply_code(space.network, x2, code)
        strange = apply_code(space.network, x2, extract_code(space.network, *_pair(another, 2 * number, space.side)))
        blurred = decibels(same, y1), decibels(other, y2), decibels(strange, y2)
        scores.append((*blurred, decibels(x1, y1), decibels(x2, y2)))
        picture = torch.cat([x2, y2, other], 3)
    return scores, picture


def _pair(kernel: Tensor, number: int, side: int) -> tuple[Tensor, Tensor]:
    """A part of a Kodak photo, sharp and blurred, on the 256 levels of a file."""
    photos = kodak(find_root(None))
    photo = photos[number % len(photos)].expand(-1, 3, -1, -1)
    rows, columns = (length - 1 for length in kernel.shape[-2:])
    generator = torch.Generator().manual_seed(_SEED + number)
    down, right = torch.rand(2, generator=generator).tolist()
    top = int(down * max(photo.shape[-2] - side - rows + 1, 1))
    left = int(right * max(photo.shape[-1] - side - columns + 1, 1))
    part = photo[..., top : top + side + rows, left : left + side + columns]
    blurry = linear_to_srgb(convolve(srgb_to_linear(part), kernel, "valid").clamp(0, 1))
    height, width = blurry.shape[-2:]
    sharp = part[..., rows // 2 : rows // 2 + height, columns // 2 : columns // 2 + width]
    return sharp, (255 * blurry).round() / 255


def _compare(family: str, rows: Sequence[Sequence[Cell]]) -> tuple[Comparison, Comparison]:
    own = [[float(value or 0) for value in row[2:]] for row in rows if row[0] == family]
    gain = fmean(row[-1] for row in own)
    lead = fmean(other - strange for _, other, strange, *_ in own)
    return (
        Comparison(
            f"kernels {family}: another photo gets a blur like it",
            "it does (figures only)",
            f"{gain:+.2f} dB over the photo as it is",
            gain >= _WANTED,
            f"holds from {_WANTED:g} dB",
        ),
        Comparison(
            f"kernels {family}: and not that of any other kernel",
            "it does (figures only)",
            f"{lead:+.2f} dB over the code of another kernel",
            lead >= _TOLD_APART,
            f"holds from {_TOLD_APART:g} dB",
        ),
    )


def _draw(pictures: Sequence[Tensor], kernels: dict[str, list[Tensor]]) -> Figure:
    members = [kernel for family in kernels.values() for kernel in family]
    figure = Figure(figsize=(8, 1.6 * len(members)), layout="constrained")
    for row, (kernel, picture) in enumerate(zip(members, pictures, strict=True)):
        left = figure.add_subplot(len(members), 4, 4 * row + 1)
        left.imshow(kernel[0, 0].numpy(), cmap="gray")
        right = figure.add_subplot(len(members), 4, (4 * row + 2, 4 * row + 4))
        right.imshow(picture[0].permute(1, 2, 0).clamp(0, 1).numpy())
        for axes in (left, right):
            axes.set_axis_off()
    figure.suptitle("kernel; another photo: sharp, blurred by the kernel, blurred by the code", fontsize=9)
    return figure
