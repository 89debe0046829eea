"""Weights to begin a training with: a plain deconvolution that already works a little.

Random filters take thousands of steps to become derivatives, which is what they end as; so they begin as derivatives.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from unblur.methods.dublid.model import Dublid

__all__ = ["start_from_derivatives"]

_THRESHOLD, _KERNEL_THRESHOLD, _RETRIEVAL = 0.03, 1.0, 2.0
_UNLIKE = 0.01
"""Standard deviation of the noise that makes the filters of a stage differ."""


@torch.no_grad()
def start_from_derivatives(network: Dublid) -> None:
    """Derivatives of first and second order in evenly spread directions, smoothed a little more at each later stage."""
    first, *later = network.weight_list
    count = len(first)
    turns = [math.pi * number / math.ceil(count / 2) for number in range(math.ceil(count / 2))]
    filters = [_slope(turn) for turn in turns] + [_curvature(turn) for turn in turns]
    first.copy_(torch.stack(filters[:count])[:, None].expand_as(first) / first.shape[1])
    impulse = torch.zeros(3, 3)
    impulse[1, 1] = 1.0
    line = torch.tensor([0.25, 0.5, 0.25])
    keep = (impulse + torch.outer(line, line)) / 2
    for bank in later:
        bank.copy_(_UNLIKE * torch.randn_like(bank))
        bank.diagonal(dim1=0, dim2=1).add_(keep[..., None])
    for thresholds in network.bias_list:
        thresholds.fill_(_THRESHOLD)
    for threshold in network.kernel_bias_list:
        threshold.fill_(_KERNEL_THRESHOLD)
    network.prox_list[-1].fill_(_RETRIEVAL)


def _slope(turn: float) -> Tensor:
    across = torch.outer(torch.tensor([1.0, 2.0, 1.0]), torch.tensor([1.0, 0.0, -1.0])) / 8
    return math.cos(turn) * across + math.sin(turn) * across.mT


def _curvature(turn: float) -> Tensor:
    across = torch.outer(torch.tensor([1.0, 2.0, 1.0]), torch.tensor([1.0, -2.0, 1.0])) / 8
    mixed = torch.outer(torch.tensor([1.0, 0.0, -1.0]), torch.tensor([1.0, 0.0, -1.0])) / 4
    cosine, sine = math.cos(turn), math.sin(turn)
    return cosine**2 * across + 2 * cosine * sine * mixed + sine**2 * across.mT
