"""Networks that treat a turned or mirrored photo like the photo, so that one sample teaches them eight times as much.

The best network does not care which side of a photo is up, but a plain one has to learn each filter once for each of
the eight positions of a square. Here the channels of a network are eight each of one kind, one for each position, and a
filter of one position is that of another one, turned: a network of regular representations of the dihedral group (Cohen
and Welling, "Group equivariant convolutional networks", arXiv 1602.07576), written into the weights of the plain one.
So it costs nothing, and it is stored, loaded and run as if nothing were known of it. Channels that are not eight of a
kind, such as three colours, stay where they are when the photo is turned.
"""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor, nn

from unblur.images.tensors import turned

__all__ = ["keep_symmetric", "make_symmetric", "mean_over_positions"]

_POSITIONS = [(turns, False) for turns in range(4)] + [(-turns, True) for turns in range(4)]
"""(quarter turns, mirrored) of each channel of a kind; weights that were trained rely on the order."""
_KIND = len(_POSITIONS)
"""Channels of a kind."""


def make_symmetric(network: nn.Module) -> None:
    """Bring the weights to the nearest symmetric ones, of the same norm, and let their gradients be symmetric too.

    Args:
        network: Convolutions with odd square kernels, padded alike on all sides, and what works on each channel alone.
    """
    for weight in network.parameters():
        with torch.no_grad():
            norm = weight.norm()
            weight.copy_(mean_over_positions(weight))
            # the mean of unlike weights is smaller, and random weights have a size that suits their layer
            weight.mul_(norm / weight.norm().clamp_min(torch.finfo(weight.dtype).tiny))
        weight.register_hook(mean_over_positions)


@torch.no_grad()
def keep_symmetric(network: nn.Module) -> None:
    """Take away what rounding adds to symmetric weights in a step."""
    for weight in network.parameters():
        weight.copy_(mean_over_positions(weight))


def mean_over_positions(weight: Tensor) -> Tensor:
    """The mean of a weight and of all that becomes of it when photos are turned or mirrored: the nearest symmetric one.

    Args:
        weight: Weight of a convolution `(o, i, k, k)`, or one number a channel `(c,)`.
    """
    places = _orbits(tuple(weight.shape)).to(weight.device)
    return weight.flatten()[places].mean(0).view_as(weight)


@cache
def _orbits(shape: tuple[int, ...]) -> Tensor:
    """For each position, where each number of a weight of this shape comes from `(8, n)`."""
    weight = torch.arange(torch.Size(shape).numel()).view(shape)
    return torch.stack([_in_position(weight, place).flatten() for place in range(_KIND)])


def _in_position(weight: Tensor, place: int) -> Tensor:
    moved = turned(weight, *_POSITIONS[place]) if weight.ndim > 2 else weight
    for side in range(min(weight.ndim, 2)):
        count = weight.shape[side]
        if count % _KIND == 0:
            kinds = torch.arange(count).view(-1, _KIND)
            sources = torch.empty(count, dtype=torch.long)
            sources[kinds[:, _after(place)].flatten()] = kinds.flatten()
            moved = moved.index_select(side, sources)
    return moved


@cache
def _after(place: int) -> Tensor:
    """Which position each position becomes when the photo is brought to position `place`."""
    # no two positions of this image are alike
    image = torch.arange(4).view(2, 2)
    images = [turned(image, *position) for position in _POSITIONS]
    moved = [turned(before, *_POSITIONS[place]) for before in images]
    return torch.tensor([next(i for i, known in enumerate(images) if torch.equal(known, one)) for one in moved])
