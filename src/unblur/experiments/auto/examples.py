"""What the refiner of `auto` learns from: answers with kernels that the search found, each beside the truth."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path

import torch
import torch.nn.functional as F  # noqa: N812 - the name that everyone gives it
from torch import Tensor

from unblur.datasets.photo_kinds.blurs import uniform
from unblur.datasets.photo_kinds.kinds import PhotoKind, make_photo
from unblur.datasets.photos import PhotoSet
from unblur.experiments.auto.answers import Answers, draw_photo, read_answer
from unblur.experiments.auto.measured import read_measured
from unblur.experiments.scores import psnr_of
from unblur.images.jpeg_traces import estimate_jpeg_coarseness
from unblur.images.tensors import brightness
from unblur.methods.auto.improvement import SOLVER
from unblur.methods.auto.refiner import reblur_residual
from unblur.methods.kernel_search.search import Candidate
from unblur.metrics.alignment import align_pair
from unblur.solvers.photo import estimate_noise, restore_with_kernel

__all__ = ["Example", "example_seen", "examples_of", "gain_of", "known_examples", "moved_truth"]

_ALIGNED_FROM = 0.5
"""Gain from which the truth is moved to where the answer lies; failed answers have no place to move it to."""
_SEED = 2032
_KNOWN_SEED = 17
_LEAST_KNOWN_GAIN = -1.0
"""Answers with true kernels that gain less, dB, teach nothing but how the solver fails."""
_PERTURBED = 0.5
_MOST_PERTURBED = 0.6
"""Share of the known kernels whose values are multiplied by random factors, and how far these lie from 1 at most."""


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


def known_examples(
    photos: PhotoSet, kinds: Mapping[str, PhotoKind], *, count: int, size: int, seed: int = _KNOWN_SEED
) -> Iterator[Example]:
    """Answers with the true kernels, every other one a little wrong: what is good already must not become worse.

    Photos with something laid over them, without one kernel for all of the photo, or that lose by being deconvolved
    are passed over.

    Args:
        photos: Sharp photos, drawn at random.
        kinds: The kinds, taken in turn; some must have one kernel.
        count: How many answers.
        size: Side of the photos in pixels.
        seed: Seed of all.
    """
    drawn = _known_answers(photos, [(name, kind) for name, kind in kinds.items() if kind.blur], size=size, seed=seed)
    return islice((example for example in drawn if example.gain > _LEAST_KNOWN_GAIN), count)


def _known_answers(
    photos: PhotoSet, kinds: Sequence[tuple[str, PhotoKind]], *, size: int, seed: int
) -> Iterator[Example]:
    """Without end."""
    for number, (name, kind) in enumerate(cycle(kinds)):
        generator = torch.Generator().manual_seed(seed * 1_000_003 + number)
        pair = make_photo(draw_photo(photos, generator), kind, int(uniform(0, 2**31, generator)), size=size).pair
        if pair.kernel is None or kind.overlay:
            continue
        kernel = pair.kernel
        if uniform(0, 1, generator) < _PERTURBED:
            factors = 2 * torch.rand(kernel.shape, generator=generator) - 1
            kernel = kernel * (1 + uniform(0, _MOST_PERTURBED, generator) * factors)
            kernel = kernel / kernel.sum()
        answer = restore_with_kernel(pair.blurry, kernel, encoding="linear", solver=SOLVER).clamp(0, 1)
        gain = gain_of(answer, pair.blurry, pair.sharp)
        yield example_seen(name, answer, pair.blurry, pair.sharp, candidate=Candidate(kernel, "linear"), gain=gain)


def gain_of(answer: Tensor, blurry: Tensor, truth: Tensor) -> float:
    """What an answer gains in brightness over its photo, dB."""
    grey = brightness(truth)
    return psnr_of(brightness(answer), grey) - psnr_of(brightness(blurry), grey)


def _example(answers: Answers, place: int, gain: float) -> Example:
    candidate = answers.candidates()[place]
    answer = restore_with_kernel(answers.blurry, candidate.kernel, encoding=candidate.encoding, solver=SOLVER)
    answer = answer.clamp(0, 1)
    truth = moved_truth(answers.sharp, answer) if gain > _ALIGNED_FROM else answers.sharp
    return example_seen(answers.kind, answer, answers.blurry, truth, candidate=candidate, gain=gain)


def example_seen(
    kind: str, answer: Tensor, blurry: Tensor, truth: Tensor, *, candidate: Candidate, gain: float
) -> Example:
    """What the refiner sees of an answer in [0, 1]; all images are `(1, 3, H, W)`."""
    return Example(
        kind,
        _levels(answer),
        _levels(blurry),
        reblur_residual(answer, blurry, candidate.kernel, candidate.encoding)[0].half(),
        _levels(truth),
        estimate_noise(blurry),
        estimate_jpeg_coarseness(brightness(blurry)),
        gain,
    )


def moved_truth(sharp: Tensor, answer: Tensor) -> Tensor:
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
