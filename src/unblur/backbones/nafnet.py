"""NAFNet (Chen, Chu, Zhang, Sun, "Simple baselines for image restoration", ECCV 2022), as trained for deblurring.

A U-shaped network without activation functions: what bends is the product of two halves of the channels. Names of
tensors are those of the released files.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from unblur.backbones.local_mean import LocalMean

__all__ = ["NafBlock", "Nafnet", "nafnet_32", "nafnet_64"]

_EPSILON = 1e-6
_WINDOW_PER_CROP = 1.5
"""Local pooling: side of the window over side of the crops of training (Chu et al., ECCV 2022)."""


class Nafnet(nn.Module):
    """Images of any size in, images of the same size out, each the sum of the input and what was found.

    Args:
        width: Channels at full size; they double with each halving.
        encoder: Number of blocks before each halving.
        middle: Number of blocks at the smallest size.
        decoder: Number of blocks after each doubling.
    """

    def __init__(self, width: int, encoder: Sequence[int], middle: int, decoder: Sequence[int]) -> None:
        super().__init__()
        widths = [width * 2**level for level in range(len(encoder) + 1)]
        self.multiple = 2 ** len(encoder)
        self.intro = nn.Conv2d(3, width, 3, padding=1)
        self.encoders = nn.ModuleList(_blocks(inner, count) for inner, count in zip(widths, encoder, strict=False))
        self.downs = nn.ModuleList(nn.Conv2d(inner, outer, 2, stride=2) for inner, outer in pairwise(widths))
        self.middle_blks = _blocks(widths[-1], middle)
        self.ups = nn.ModuleList(_enlarge(outer) for outer in widths[:0:-1])
        self.decoders = nn.ModuleList(
            _blocks(inner, count) for inner, count in zip(widths[-2::-1], decoder, strict=True)
        )
        self.ending = nn.Conv2d(width, 3, 3, padding=1)

    def forward(self, image: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b 3 h w"]:
        """The sharp image; not clamped. Right and below it is continued with zeros to a multiple of 16."""
        height, width = image.shape[-2:]
        padded = functional.pad(image, (0, -width % self.multiple, 0, -height % self.multiple))
        features = self.intro(padded)
        skips: list[Tensor] = []
        for blocks, down in zip(self.encoders, self.downs, strict=True):
            features = blocks(features)
            skips.append(features)
            features = down(features)
        features = self.middle_blks(features)
        for up, blocks in zip(self.ups, self.decoders, strict=True):
            features = blocks(up(features) + skips.pop())
        return (self.ending(features) + padded)[..., :height, :width]

    def pool_locally(self, crop: int | None = 256) -> None:
        """Take means over windows instead of the whole image, so that a photo is treated as the crops of training were.

        Args:
            crop: Side of the crops in training; None: means over the whole image, as in training.
        """
        window = None if crop is None else int(crop * _WINDOW_PER_CROP)
        levels = [*self.encoders, self.middle_blks, *self.decoders]
        for number, blocks in enumerate(levels):
            level = min(number, len(levels) - 1 - number)
            for module in blocks.modules():
                if isinstance(module, LocalMean):
                    module.window = window and window >> level


class NafBlock(nn.Module):
    """Two residual steps: one over neighbouring pixels, one over channels; 7 c² + 33 c parameters.

    Args:
        width: Channels c.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = _ChannelNorm(width), _ChannelNorm(width)
        self.conv1 = nn.Conv2d(width, 2 * width, 1)
        self.conv2 = nn.Conv2d(2 * width, 2 * width, 3, padding=1, groups=2 * width)
        self.sca = nn.Sequential(LocalMean(), nn.Conv2d(width, width, 1))
        self.conv3 = nn.Conv2d(width, width, 1)
        self.conv4 = nn.Conv2d(width, 2 * width, 1)
        self.conv5 = nn.Conv2d(width, width, 1)
        self.beta, self.gamma = (nn.Parameter(torch.zeros(1, width, 1, 1)) for _ in range(2))

    def forward(self, features: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        """Features of the next block; a new block returns what it gets."""
        gated = _gate(self.conv2(self.conv1(self.norm1(features))))
        features = features + self.conv3(gated * self.sca(gated)) * self.beta
        gated = _gate(self.conv4(self.norm2(features)))
        return features + self.conv5(gated) * self.gamma


def nafnet_32() -> Nafnet:
    """The network of width 32 for motion blur: 17,111,907 parameters."""
    return Nafnet(32, encoder=(1, 1, 1, 28), middle=1, decoder=(1, 1, 1, 1))


def nafnet_64() -> Nafnet:
    """The network of width 64 for motion blur: 67,888,835 parameters."""
    return Nafnet(64, encoder=(1, 1, 1, 28), middle=1, decoder=(1, 1, 1, 1))


class _ChannelNorm(nn.LayerNorm):
    """Normalises the channels of each pixel (biased variance)."""

    def __init__(self, width: int) -> None:
        super().__init__(width, eps=_EPSILON)

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - as nn.LayerNorm calls it
        return super().forward(input.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


def _gate(features: Tensor) -> Tensor:
    first, second = features.chunk(2, 1)
    return first * second


def _blocks(width: int, count: int) -> nn.Sequential:
    return nn.Sequential(*(NafBlock(width) for _ in range(count)))


def _enlarge(width: int) -> nn.Sequential:
    """Twice the size, half the channels."""
    return nn.Sequential(nn.Conv2d(width, 2 * width, 1, bias=False), nn.PixelShuffle(2))
