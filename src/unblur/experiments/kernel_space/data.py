"""What the experiments with a space of blurs share: the networks, held-out photos, and a network that is trained."""

from __future__ import annotations

import math
from collections.abc import Callable
from statistics import fmean
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from unblur.backbones.dmphn import CENTRE
from unblur.datasets.blur_settings import Synthesis
from unblur.datasets.folders import find_root
from unblur.datasets.photos import bsds500_folder, kodak
from unblur.datasets.scene_streams import BlurPart, SceneStream
from unblur.datasets.synthesis import make_pair, seed_for
from unblur.experiments.kernel_space.settings import AugmentationSettings, SwapSettings
from unblur.experiments.result import Say
from unblur.methods.backbone.objective import DmphnObjective
from unblur.methods.kernel_space.loading import load_kernel_space, window_of
from unblur.methods.kernel_space.model import KernelSpace
from unblur.metrics.psnr import psnr
from unblur.system.precision import choose_precision
from unblur.weights.shipped import read_weights

__all__ = ["Crop", "Samples", "Space", "decibels", "gain_of", "held_out", "open_space", "stream_of", "train"]

_SEED = 2021
"""Of the held-out crops; training seeds are small numbers."""
_CAP = 99.0
"""Of the PSNR of equal images, dB."""
_SAID = 10
"""Times that a training tells how far it is."""


class Space(NamedTuple):
    """The networks, and the side in pixels of the windows that they are used in."""

    network: KernelSpace
    side: int


class Crop(NamedTuple):
    """A pair, each `(1, 3, s, s)`."""

    blurry: Tensor
    sharp: Tensor


class Samples(Protocol):
    """A stream of samples."""

    def sample(self, index: int) -> dict[str, Tensor]:
        """`blurry` and `sharp`, each `(3, s, s)`."""
        ...


def open_space(weights: str) -> Space:
    """The networks of a file or a name.

    Raises:
        CheckpointError: They cannot be used.
    """
    checkpoint = read_weights(weights)
    return Space(load_kernel_space(checkpoint), window_of(checkpoint))


def held_out(blurs: list[object], count: int, size: int) -> list[Crop]:
    """Crops of Kodak photos, which nothing is learned from; always the same.

    Args:
        blurs: Settings of kinds of blur, which the crops get in turn.
        count: How many.
        size: Their side in pixels.

    Raises:
        DataError: The photos are not there.
    """
    photos = kodak(find_root(None))
    crops: list[Crop] = []
    for number in range(count):
        place = number % len(photos)
        synthesis = Synthesis(blurs[number % len(blurs)], size=size)
        pair = make_pair(photos[place], synthesis, seed_for(_SEED, f"{photos.paths[place].stem}/{number}")).pair
        crops.append(Crop(pair.blurry.expand(-1, 3, -1, -1), pair.sharp.expand(-1, 3, -1, -1)))
    return crops


def stream_of(parts: list[BlurPart], photos: str, size: int, seed: int) -> SceneStream:
    """Crops to learn from.

    Args:
        parts: Their blurs.
        photos: Folder; empty: the training part of BSDS500.
        size: Side in pixels.
        seed: Of the stream.
    """
    folder = photos or str(bsds500_folder(find_root(None), "train"))
    return SceneStream([folder], parts, size=size, noise_share=0.0, seed=seed)


def train(stream: Samples, settings: SwapSettings | AugmentationSettings, say: Say) -> Callable[[Tensor], Tensor]:
    """A DMPHN after its training; it always begins as the identity, for short trainings come nowhere from elsewhere.

    Args:
        stream: What it learns from.
        settings: Steps, batch, rate and seed.
        say: Is told of the loss.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        objective = DmphnObjective(content="log", start="identity")
    network = objective.network
    optimiser = torch.optim.Adam(network.parameters(), lr=settings.learning_rate)
    precision = choose_precision("auto", torch.device("cpu"))
    for step in range(settings.steps):
        for group in optimiser.param_groups:
            group["lr"] = settings.learning_rate * (1 + math.cos(math.pi * step / settings.steps)) / 2
        samples = [stream.sample(step * settings.batch + place) for place in range(settings.batch)]
        batch = {name: torch.stack([sample[name] for sample in samples]) for name in ("blurry", "sharp")}
        optimiser.zero_grad()
        with torch.autocast("cpu", precision, enabled=precision == torch.bfloat16):
            loss = objective(batch)["content"]
        loss.backward()
        optimiser.step()
        if (step + 1) % max(1, settings.steps // _SAID) == 0:
            say(f"step {step + 1} of {settings.steps}, loss {float(loss.detach()):.2f}")
    network.eval().requires_grad_(False)
    return lambda blurry: (network(blurry - CENTRE) + CENTRE).clamp(0, 1)


def gain_of(restore: Callable[[Tensor], Tensor], crops: list[Crop]) -> float:
    """Mean PSNR of restored crops over that of the blurry ones, dB."""
    return fmean(decibels(restore(crop.blurry), crop.sharp) - decibels(crop.blurry, crop.sharp) for crop in crops)


def decibels(image: Tensor, truth: Tensor) -> float:
    """PSNR of one image, at most 99 dB."""
    return min(float(psnr(image, truth, data_range=1.0)), _CAP)
