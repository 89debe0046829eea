"""Training of the refiner of `auto` on answers with kernels that the search found."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - the name that everyone gives it
from torch import Tensor

from unblur.blur.kernels import trim_box
from unblur.experiments.auto.answers import Answers, read_answer
from unblur.experiments.auto.judge import read_measured
from unblur.experiments.result import Say
from unblur.images.jpeg_traces import estimate_jpeg_coarseness
from unblur.images.tensors import brightness
from unblur.methods.auto.refiner import REFINER_CONFIG, AnswerRefiner, reblur_residual
from unblur.metrics.alignment import align_pair
from unblur.solvers.photo import estimate_noise, restore_with_kernel
from unblur.training.muon import Muon

__all__ = ["Example", "examples_of", "fit_refiner", "refined_gain"]

_LEAST_GAIN = -1.0
"""Answers that lose more are refused, so nobody refines them."""
_ALIGNED_FROM = 0.5
"""Gain from which the truth is moved to where the answer lies; failed answers have no place to move it to."""
_CROP, _BATCH = 96, 4
_BORDER = 8
_SEED = 2032
_EDGES = 0.5
"""Weight of differences between neighbours in the loss, against softness."""


@dataclass(frozen=True)
class Example:
    """One answer as the refiner sees it; images on 256 levels, `(3, h, w)`.

    Attributes:
        kind: Kind of the photo.
        answer: The solver's image, clamped.
        blurry: The photo.
        residual: Reblurred answer less photo, half precision.
        truth: Moved to where the answer lies.
        noise: See `estimate_noise`.
        jpeg: See `estimate_jpeg_coarseness`.
        gain: Gain of the answer in brightness, dB.
    """

    kind: str
    answer: Tensor
    blurry: Tensor
    residual: Tensor
    truth: Tensor
    noise: float
    jpeg: float
    gain: float


def examples_of(folder: Path, measured: Path, *, several: bool, least_gain: float = _LEAST_GAIN) -> Iterator[Example]:
    """The answers of a folder that are worth refining: the best of each photo, and with `several` a random other one.

    Args:
        folder: See `make_answers`.
        measured: See `measure_all`.
        several: Whether a photo may give two.
        least_gain: Answers below are left out, dB.
    """
    generator = torch.Generator().manual_seed(_SEED)
    for path, photo in zip(sorted(folder.glob("*.npz")), read_measured(measured), strict=False):
        fit = [place for place, gain in enumerate(photo.gains) if gain > least_gain]
        if not fit:
            continue
        best = max(fit, key=photo.gains.__getitem__)
        places = {best}
        if several:
            places.add(fit[int(torch.randint(len(fit), (), generator=generator))])
        answers = read_answer(path)
        for place in sorted(places):
            yield _example(answers, place, photo.gains[place])


def _example(answers: Answers, place: int, gain: float) -> Example:
    encoding: Any = answers.encodings[place]
    kernel = trim_box(answers.kernels[place : place + 1])
    answer = restore_with_kernel(answers.blurry, kernel, encoding=encoding).clamp(0, 1)
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


def fit_refiner(
    examples: Sequence[Example],
    *,
    minutes: float,
    rate: float = 1e-3,
    start: AnswerRefiner | None = None,
    say: Say = lambda _: None,
) -> AnswerRefiner:
    """A refiner trained for so many minutes; the moving average of its weights."""
    torch.manual_seed(_SEED)
    network = start or AnswerRefiner(**REFINER_CONFIG)
    network = network.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    average = torch.optim.swa_utils.AveragedModel(
        network, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.998)
    )
    optimizer = Muon(network.parameters(), lr=rate)
    weights = torch.tensor([0.3 + max(example.gain, 0.0) ** 0.5 for example in examples])
    begin, share, step, recent = time.monotonic(), 0.0, 0, 0.0
    while share < 1:
        share = (time.monotonic() - begin) / (60 * minutes)
        for group in optimizer.param_groups:
            group["lr"] = rate * min(1.0, (step + 1) / 100) * max(1 - share, 0.02) ** 0.8
        batch = _batch(examples, weights)
        loss = _loss(network(*batch[:-1]), batch[-1])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        average.update_parameters(network)
        step, recent = step + 1, 0.98 * recent + 0.02 * float(loss.detach())
        if step % 100 == 0:
            say(f"step {step}, {share:.0%} of the time: loss {recent / (1 - 0.98**step):.5f}")
    trained = AnswerRefiner(**REFINER_CONFIG)
    trained.load_state_dict(average.module.state_dict())
    return trained.eval()


def _batch(examples: Sequence[Example], weights: Tensor) -> list[Tensor]:
    parts: list[list[Tensor]] = []
    for number in torch.multinomial(weights, _BATCH, replacement=True).tolist():
        example = examples[number]
        height, width = example.answer.shape[-2:]
        top, left = (2 * int(torch.randint((side - _CROP) // 2 + 1, ())) for side in (height, width))
        images = [
            image[:, top : top + _CROP, left : left + _CROP].float() / scale
            for image, scale in (
                (example.answer, 255), (example.blurry, 255), (example.residual, 1), (example.truth, 255)
            )
        ]  # fmt: skip
        flips = [axis for axis in (-1, -2) if torch.rand(()) < 0.5]
        turned = torch.rand(()) < 0.5
        images = [image.flip(flips).transpose(-1, -2) if turned else image.flip(flips) for image in images]
        parts.append([*images[:3], torch.tensor(example.noise), torch.tensor(example.jpeg), images[3]])
    return [torch.stack(column) for column in zip(*parts, strict=True)]


def _loss(refined: Tensor, truth: Tensor) -> Tensor:
    inner = (..., slice(_BORDER, -_BORDER), slice(_BORDER, -_BORDER))
    error = refined[inner] - truth[inner]
    edges = torch.diff(error, dim=-1).abs().mean() + torch.diff(error, dim=-2).abs().mean()
    return (error.square() + 1e-6).sqrt().mean() + _EDGES * edges


@torch.no_grad()
def refined_gain(network: AnswerRefiner, example: Example) -> tuple[float, float]:
    """PSNR of the answer and of the refined answer over the blurry photo, against the moved truth, dB."""
    height, width = (side // 2 * 2 for side in example.answer.shape[-2:])
    answer, blurry, truth = (
        image[None, :, :height, :width].float() / 255 for image in (example.answer, example.blurry, example.truth)
    )
    numbers = [torch.tensor([value]) for value in (example.noise, example.jpeg)]
    refined = network(answer, blurry, example.residual[None, :, :height, :width].float(), *numbers)
    scores = [_psnr(image, truth) for image in (blurry, answer, refined.clamp(0, 1))]
    return scores[1] - scores[0], scores[2] - scores[0]


def _psnr(image: Tensor, truth: Tensor) -> float:
    inner = (..., slice(15, -15), slice(15, -15))
    return -10 * float((image[inner] - truth[inner]).square().mean().clamp_min(3e-5).log10())


def _levels(image: Tensor) -> Tensor:
    return (image[0] * 255).round().clamp(0, 255).byte()
