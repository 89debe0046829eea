"""Training of the refiner of `auto` on answers with kernels that the search found."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean

import torch
from torch import Tensor

from unblur.datasets.folders import find_root
from unblur.datasets.photo_kinds.kinds import photo_kinds
from unblur.datasets.photos import bsds500
from unblur.errors import DataError
from unblur.experiments.auto.bursts import burst_examples
from unblur.experiments.auto.examples import Example, examples_of, known_examples
from unblur.experiments.auto.measured import SPLITS, forget_refined, make_and_measure
from unblur.experiments.auto.settings import RefinerSettings
from unblur.experiments.auto.weights import REFINER_FILE, read_start
from unblur.experiments.result import ExperimentResult, Say, Table
from unblur.methods.auto.refiner import REFINER_CONFIG, AnswerRefiner
from unblur.system.precision import choose_precision
from unblur.training.muon import Muon

__all__ = ["fit_refiner", "refined_gain", "run"]

_CROP, _BATCH = 96, 4
_BORDER = 8
_SEED = 2032
_EDGES = 0.5
"""Weight of differences between neighbours in the loss, against softness."""


def run(settings: RefinerSettings, say: Say) -> ExperimentResult:
    """Make the answers, train on them, and test on those of other scenes; the weights lie beside the answers."""
    make_and_measure(settings, say)
    folder = Path(settings.folder)
    train, val = (
        list(examples_of(folder, split, several=split == "train", least_gain=settings.least_gain)) for split in SPLITS
    )
    root = find_root(None)
    photos, kinds = bsds500(root, SPLITS[0]), photo_kinds(root)
    train += known_examples(photos, kinds, count=settings.known, size=settings.size)
    train += burst_examples(photos, kinds, count=settings.of_bursts, size=settings.size)
    if not (train and val):
        raise DataError(f"{folder}: no answer gains {settings.least_gain:g} dB; take a larger count of photos")
    say(f"{len(train)} answers to learn from, {len(val)} to test on")
    start = read_start(settings.start, AnswerRefiner(**REFINER_CONFIG), lambda shipped: shipped.refiner)
    network = fit_refiner(train, minutes=settings.minutes, rate=settings.rate, start=start, say=say)
    torch.save(network.state_dict(), folder / REFINER_FILE)
    forget_refined(folder)
    return _report(network, val, settings)


def _report(network: AnswerRefiner, examples: Sequence[Example], settings: RefinerSettings) -> ExperimentResult:
    gains = [(example.kind, *refined_gain(network, example)) for example in examples]
    kinds = dict.fromkeys(kind for kind, *_ in gains)
    rows = [[kind, *_means([(a, b) for name, a, b in gains if name == kind])] for kind in kinds]
    rows.append(["all", *_means([(a, b) for _, a, b in gains])])
    return ExperimentResult(
        title="The refiner of auto on answers to photos that it never saw",
        figures={},
        tables=(
            Table(
                "kinds",
                "Gain over the blurry photo, dB",
                ["kind", "answers", "deconvolved", "refined", "worst of refined less deconvolved"],
                rows,
            ),
        ),
        comparisons=(),
        notes=(f"Trained for {settings.minutes:g} minutes; PSNR of RGB against the truth moved to the answer.",),
    )


def _means(gains: Sequence[tuple[float, float]]) -> tuple[int, float, float, float]:
    before, after = zip(*gains, strict=True)
    return len(gains), fmean(before), fmean(after), min(b - a for a, b in gains)


def fit_refiner(
    examples: Sequence[Example],
    *,
    minutes: float,
    rate: float = RefinerSettings.rate,
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
    precision = choose_precision("auto", torch.device("cpu"))  # half the time of float32 where the processor has it
    begin, share, step, recent = time.monotonic(), 0.0, 0, 0.0
    while share < 1:
        share = (time.monotonic() - begin) / (60 * minutes)
        for group in optimizer.param_groups:
            group["lr"] = rate * min(1.0, (step + 1) / 100) * max(1 - share, 0.02) ** 0.8
        *seen, truth = _batch(examples, weights)
        with torch.autocast("cpu", precision, enabled=precision == torch.bfloat16):
            refined = network(*seen)
        loss = _loss(refined.float(), truth)
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
    height, width = (side // network.multiple * network.multiple for side in example.answer.shape[-2:])
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
