"""K1: the blur found in one pair, applied to another photo that was blurred by the same kernel."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

import torch
import torch.nn.functional as F  # noqa: N812 - the name that everyone gives it
from torch import Tensor

from unblur.blur.convolve import convolve
from unblur.blur.kernels import kernel_from_trajectory
from unblur.blur.trajectories import sample_motion_path
from unblur.datasets.folders import find_root
from unblur.datasets.levin import levin_kernels
from unblur.datasets.photos import kodak
from unblur.experiments.comparison import Comparison, compare_direction
from unblur.experiments.figures import draw_images
from unblur.experiments.kernel_space.data import Space, open_space
from unblur.experiments.kernel_space.settings import RetrievalSettings
from unblur.experiments.result import Cell, ExperimentResult, Say, Table
from unblur.experiments.scores import psnr_of
from unblur.images.tensors import linear_to_srgb, round_to_8_bits, srgb_to_linear
from unblur.methods.kernel_space.operations import apply_code, extract_code

__all__ = ["run"]

_SEED = 2021
_COLUMNS = (
    "kernels", "kernel", "same photo", "other photo", "other photo, code of another kernel", "other photo unblurred",
    "gain same", "gain other",
)  # fmt: skip
_LEAST_GAIN = 3.0
"""Smallest gain in dB that counts as the same blur."""
_LEAST_LEAD = 1.0
"""Smallest lead in dB over the code of another kernel that counts; without it the gain is that of an average blur."""


def run(settings: RetrievalSettings, say: Say) -> ExperimentResult:
    """Each kernel on some pairs of photos: code from the first, blur on the second."""
    space = open_space(settings.weights)
    kernels = {"as in training": _drawn(settings), "unseen": _levin(settings)}
    rows: list[list[Cell]] = []
    images: list[tuple[str, Tensor]] = []
    for family, members in kernels.items():
        for number, kernel in enumerate(members, start=1):
            scores, shown = _score(space, kernel, members[number % len(members)], settings.photos)
            same, other, strange, before_same, before = (fmean(values) for values in zip(*scores, strict=True))
            rows.append([family, number, same, other, strange, before, same - before_same, other - before])
            images += zip(("kernel", "sharp", "by kernel", "by code"), shown, strict=True)
            gain, own = other - before, other - strange
            say(f"{family}, kernel {number}: {gain:+.2f} dB on another photo, {own:+.2f} dB over another code")
    return ExperimentResult(
        title="Kernel retrieval: a blur found in one pair and applied to another photo",
        figures={"retrieval": draw_images(images, columns=4)},
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


def _score(space: Space, kernel: Tensor, another: Tensor, count: int) -> tuple[list[tuple[float, ...]], list[Tensor]]:
    """PSNR on the same photo, on another one, on that with another kernel's code, of both unblurred; images to show."""
    scores: list[tuple[float, ...]] = []
    images: list[Tensor] = []
    for number in range(count):
        (x1, y1), (x2, y2) = (_pair(kernel, 2 * number + place, space.side) for place in range(2))
        code = extract_code(space.network, x1, y1)
        same, other = apply_code(space.network, x1, code), apply_code(space.network, x2, code)
        strange = apply_code(space.network, x2, extract_code(space.network, *_pair(another, 2 * number, space.side)))
        blurred = psnr_of(same, y1), psnr_of(other, y2), psnr_of(strange, y2)
        scores.append((*blurred, psnr_of(x1, y1), psnr_of(x2, y2)))
        images = [kernel, x2, y2, other]
    return scores, images


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
    return sharp, round_to_8_bits(blurry)


def _compare(family: str, rows: Sequence[Sequence[Cell]]) -> tuple[Comparison, Comparison]:
    own = [[float(value or 0) for value in row[2:]] for row in rows if row[0] == family]
    gain = fmean(row[-1] for row in own)
    lead = fmean(other - strange for _, other, strange, *_ in own)
    return (
        compare_direction(
            f"kernels {family}: another photo gets the same blur",
            "it does (figures only)",
            gain,
            least=_LEAST_GAIN,
            note="over the unblurred photo",
        ),
        compare_direction(
            f"kernels {family}: and not that of any other kernel",
            "it does (figures only)",
            lead,
            least=_LEAST_LEAD,
            note="over the code of another kernel",
        ),
    )
