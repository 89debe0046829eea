# pyright: reportPrivateImportUsage=false, reportPrivateUsage=false
"""The exponential moving average of a network's weights, which is what is evaluated and exported."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from copy import deepcopy

import torch
from torch import Tensor, nn

from unblur.errors import SettingsError

__all__ = ["MovingAverage"]


class MovingAverage(nn.Module):
    """Average of a network's weights; the decay is `(1 + step) / (10 + step)` while that is less than `decay`.

    `torch.optim.swa_utils.AveragedModel` counts its updates on the device and reads the count at each one: on a GPU
    every step would wait. Here the step comes from the host.

    Args:
        network: The network whose weights are averaged.
        decay: Share of the average that remains at each step, in [0, 1); 0: the weights themselves.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        super().__init__()
        if not 0 <= decay < 1:
            raise SettingsError(f"ema_decay takes a number from 0 to less than 1, not {decay}")
        self.decay = decay
        self.average = deepcopy(network).requires_grad_(False)

    @torch.no_grad()
    def update(self, network: nn.Module, step: int) -> None:
        """Take in the weights after step number `step`."""
        share = 1 - min(self.decay, (1 + step) / (10 + step))
        floats, others = _split(self.average, network)
        if floats:
            averages, values = zip(*floats, strict=True)
            torch._foreach_lerp_(averages, values, share)  # as torch's own averages do
        for average, value in others:
            average.copy_(value)

    @contextmanager
    def swapped_into(self, network: nn.Module) -> Generator[None]:
        """Within, the network has the averaged weights."""
        self._swap(network)
        try:
            yield
        finally:
            self._swap(network)

    @torch.no_grad()
    def _swap(self, network: nn.Module) -> None:
        for average, value in zip(_tensors(self.average), _tensors(network), strict=True):
            kept = value.clone()
            value.copy_(average)
            average.copy_(kept)


def _tensors(network: nn.Module) -> list[Tensor]:
    return [*network.parameters(), *network.buffers()]


def _split(average: nn.Module, network: nn.Module) -> tuple[list[tuple[Tensor, Tensor]], list[tuple[Tensor, Tensor]]]:
    """Pairs that can be averaged, and those that are counters and the like."""
    pairs = list(zip(_tensors(average), _tensors(network), strict=True))
    floats = [pair for pair in pairs if pair[0].is_floating_point()]
    return floats, [pair for pair in pairs if not pair[0].is_floating_point()]
