"""Weights and an image that come of a formula, so that answers of networks can be compared without any file."""

import math
from typing import TypeVar

import pytest
import torch
from torch import Tensor, nn

__all__ = ["assert_numbers", "fill", "wave_image"]

N = TypeVar("N", bound=nn.Module)


def wave_image(side: int = 64) -> Tensor:
    """`(1, 3, side, side)` in float64: 0.5 + 0.5 sin(0.05 (h + 1) (c + 1) + 0.07 w)."""
    rows, columns = (torch.arange(side, dtype=torch.float64) for _ in range(2))
    channels = torch.arange(1, 4, dtype=torch.float64)
    phase = 0.05 * (rows + 1)[:, None] * channels[:, None, None] + 0.07 * columns
    return (0.5 + 0.5 * phase.sin())[None]


def fill(network: N) -> N:
    """The network in float64, each weight a sine wave whose phase comes of its name: the first, if it has several."""
    network.double().requires_grad_(False)
    for name, weight in network.named_parameters():
        weight.copy_(_wave(name, weight.shape))
    return network


def assert_numbers(image: Tensor, expected: tuple[float, float, float, float]) -> None:
    """Mean, standard deviation (population) and the values at [0, 0, 0, 0] and [0, last channel, 10, 20]."""
    found = image.mean(), image.std(correction=0), image[0, 0, 0, 0], image[0, -1, 10, 20]
    assert [float(value) for value in found] == pytest.approx(expected, abs=1e-6, rel=0)


def _wave(name: str, shape: torch.Size) -> Tensor:
    count = math.prod(shape)
    if count == 1:
        return torch.full(shape, 0.25, dtype=torch.float64)
    wave = torch.sin(1.7 * torch.arange(count, dtype=torch.float64) + sum(map(ord, name)) % 97).view(shape)
    if len(shape) == 1:
        return 0.1 * wave + name.endswith("weight")
    return wave / math.sqrt(count / shape[0])
