"""What the refiner of `auto` learns from: answers with kernels that the search found, each beside the truth."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F  # noqa: N812 - the name that everyone gives it
from torch import Tensor

from unblur.experiments.auto.answers import Answers, read_answer
from unblur.experiments.auto.measured import read_measured
from unblur.images.jpeg_traces import estimate_jpeg_coarseness
from unblur.images.tensors import brightness
from unblur.methods.auto.improvement import SOLVER
from unblur.methods.auto.refiner import reblur_residual
from unblur.metrics.alignment import align_pair
from unblur.solvers.photo import estimate_noise, restore_with_kernel

__all__ = ["Example", "examples_of"]

_ALIGNED_FROM = 0.5
"""Gain from which the truth is moved to where the answer lies; failed answers have no place to move it to."""
_SEED = 2032


@dataclass(frozen=True)
class Example:
    """One answer as the refiner sees it; images on 256 levels, `(3, h, w)`.

    Attributes:
        kind: Of the photo.
        answer: The solver's image, clamped.
        blurry: The photo.
        residual: Reblurred answer less photo, half precision.
        truth: Moved to where the answer lies.
        noise: See `estimate_noise`.
        jpeg: See `estimate_jpeg_coarseness`.
        gain: Of the answer in brightness, dB.
    """

    kind: str
    answer: Tensor
    blurry: Tensor
    residual: Tensor
    truth: Tensor
    noise: float
    jpeg: float
    gain: float


def examples_of(folder: Path, split: str, *, several: bool, least_gain: float) -> Iterator[Example]:
    """The answers that are worth refining: the best of each photo, and with `several` a random other one.

    Args:
        folder: Of the answers and measures, see `make_and_measure`.
        split: `train` or `val`.
        several: Whether a photo may give two.
        least_gain: Answers below are left out, dB.
    """
    generator = torch.Generator().manual_seed(_SEED)
    for file, photo in sorted(read_measured(folder, split).items()):
        fit = [place for place, gain in enumerate(photo.gains) if gain > least_gain]
        if not fit:
            continue
        best = max(fit, key=photo.gains.__getitem__)
        places = {best}
        if several:
            places.add(fit[int(torch.randint(len(fit), (), generator=generator))])
        answers = read_answer(folder / split / file)
        for place in sorted(places):
            yield _example(answers, place, photo.gains[place])


def _example(answers: Answers, place: int, gain: float) -> Example:
    candidate = answers.candidates()[place]
    kernel, encoding = candidate.kernel, candidate.encoding
    answer = restore_with_kernel(answers.blurry, kernel, encoding=encoding, solver=SOLVER).clamp(0, 1)
    return Example(
        answers.kind,
        _levels(answer),
        _levels(answers.blurry),
        reblur_residual(answer, answers.blurry, kernel, encoding)[0].half(),
        _levels(_moved(answers.sharp, answer) if gain > _ALIGNED_FROM else answers.sharp),
        estimate_noise(answers.blurry),
        estimate_jpeg_coarseness(brightness(answers.blurry)),
        gain,
    )


def _moved(sharp: Tensor, answer: Tensor) -> Tensor:
    """The truth at the place of the answer: shifted by phases, mirrored at the borders."""
    right, down = align_pair(brightness(answer), brightness(sharp), "wide-shift").shift[0].tolist()
    height, width = sharp.shape[-2:]
    margin = 16
    padded = F.pad(sharp, (margin,) * 4, mode="reflect").double()
    rows = torch.fft.fftfreq(padded.shape[-2], dtype=torch.float64)[:, None]
    columns = torch.fft.rfftfreq(padded.shape[-1], dtype=torch.float64)[None, :]
    turned = torch.fft.rfft2(padded) * torch.exp(-2j * torch.pi * (rows * down + columns * right))
    moved = torch.fft.irfft2(turned, s=padded.shape[-2:])
    return moved[..., margin : margin + height, margin : margin + width].clamp(0, 1).float()


def _levels(image: Tensor) -> Tensor:
    return (image[0] * 255).round().clamp(0, 255).byte()
