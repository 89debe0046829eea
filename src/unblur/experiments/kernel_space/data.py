"""Networks, test crops and short trainings of the kernel space's experiments."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from statistics import fmean
from typing import NamedTuple

import torch
from torch import Tensor

from unblur.backbones.dmphn import CENTRE
from unblur.datasets.pairs import Pair
from unblur.datasets.scene_streams import BlurPart, SceneStream
from unblur.datasets.unpaired_streams import SampleStream
from unblur.experiments.kernel_space.settings import TrainingSettings
from unblur.experiments.photos import batches, kodak_pairs, training_stream
from unblur.experiments.result import Say
from unblur.experiments.scores import gain_of
from unblur.experiments.training import train_briefly
from unblur.methods.backbone.objective import DmphnObjective
from unblur.methods.kernel_space.loading import load_kernel_space, window_of
from unblur.methods.kernel_space.model import KernelSpace
from unblur.system.precision import choose_precision
from unblur.weights.shipped import read_weights

__all__ = ["Space", "held_out", "open_space", "stream_of", "train_and_score"]

_SEED = 2021
"""Seed of the test crops; training seeds are small numbers."""
_REPORTS = 10
"""Progress lines of a training."""


class Space(NamedTuple):
    """The networks, and the side in pixels of the windows that they are used in."""

    network: KernelSpace
    side: int


def open_space(weights: str) -> Space:
    """The networks of a file or a name.

    Raises:
        CheckpointError: They cannot be used.
    """
    checkpoint = read_weights(weights)
    return Space(load_kernel_space(checkpoint), window_of(checkpoint))


def held_out(blurs: Sequence[object], number: int, size: int) -> list[Pair]:
    """Crops of the Kodak photos, always the same; arguments and errors as for `kodak_pairs`."""
    return kodak_pairs(blurs, number, size, _SEED, own_seeds=True)


def stream_of(parts: Sequence[BlurPart], settings: TrainingSettings) -> SceneStream:
    """Training crops without shot noise; errors as for `training_stream`."""
    return training_stream(parts, settings.photos, settings.size, settings.seed, noise_share=0.0)


def train_and_score(
    streams: Mapping[str, SampleStream], settings: TrainingSettings, crops: Sequence[Pair], say: Say
) -> dict[str, float]:
    """A DMPHN trained on each stream, from the same start and for as many steps.

    Training starts from the identity, since a short training from random weights gains nothing.

    Returns:
        Mean gain over the blurry crops in dB, by stream.
    """
    gains: dict[str, float] = {}
    for name, stream in streams.items():
        restore = _train(stream, settings, lambda line, name=name: say(f"{name}: {line}"))
        gains[name] = fmean(gain_of(restore(crop.blurry), crop.blurry, crop.sharp) for crop in crops)
        say(f"{name}: {gains[name]:+.3f} dB")
    return gains


def _train(stream: SampleStream, settings: TrainingSettings, say: Say) -> Callable[[Tensor], Tensor]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        objective = DmphnObjective(content="log", start="identity")
    network, steps = objective.network, settings.steps

    def learning_rate(step: int) -> float:
        return settings.learning_rate * (1 + math.cos(math.pi * step / steps)) / 2

    def after_step(step: int, loss: float) -> None:
        if step % max(1, steps // _REPORTS) == 0:
            say(f"step {step} of {steps}, loss {loss:.2f}")

    train_briefly(
        torch.optim.Adam(network.parameters(), lr=settings.learning_rate),
        lambda batch: objective(batch)["content"],
        islice(batches(stream, settings.batch), steps),
        learning_rate=learning_rate,
        precision=choose_precision("auto", torch.device("cpu")),
        after_step=after_step,
    )
    network.eval().requires_grad_(False)
    return lambda blurry: (network(blurry - CENTRE) + CENTRE).clamp(0, 1)
