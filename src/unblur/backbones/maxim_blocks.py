"""Blocks of MAXIM that its encoders, decoders and stages are made of; see `maxim.py`.

Features are `(B, H, W, C)`, as dense layers want them; convolutions get a view.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional
from typing_extensions import override

from unblur.backbones.multi_axis import ChannelNorm, CrossGating, dense, dense_gelu, pixelwise

__all__ = [
    "Conv",
    "Double",
    "FeatureSource",
    "JoinedGating",
    "ResidualConvs",
    "ResidualDense",
    "SupervisedAttention",
    "join",
]

Features = Float[Tensor, "b _ _ _"]

_REDUCTION = 4
_SLOPE = 0.2


class FeatureSource(NamedTuple):
    """Features on their way into a block.

    Attributes:
        features: Features at their own scale.
        levels: How often they must be doubled (positive) or halved (negative).
        conv: What convolves them by themselves first, if anything does.
    """

    features: Features
    levels: int = 0
    conv: Conv | None = None


class Conv(nn.Conv2d):
    """Convolved features, with zeros around them."""

    def __init__(self, channels: int, width: int, side: int = 1, stride: int = 1) -> None:
        super().__init__(channels, width, side, stride, padding=(side - 1) // 2)

    @override
    def forward(self, input: Features) -> Features:
        if self.kernel_size == (1, 1):
            return pixelwise(input, self.weight[:, :, 0, 0], self.bias)
        return super().forward(input.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)


class Double(nn.ConvTranspose2d):
    """Twice the size."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__(channels, width, 2, 2)

    @override
    def forward(self, input: Features, output_size: Any = None) -> Features:
        return super().forward(input.permute(0, 3, 1, 2), output_size).permute(0, 2, 3, 1)


class JoinedGating(CrossGating):
    """Cross gating of what sources have in common with one other signal.

    Args:
        channels: Channels of all sources together.
        width: Channels of the output.
        side: Side of the windows in pixels.
        below: Channels of the other signal if it must be doubled first.
    """

    def __init__(self, channels: int, width: int, side: int, below: int = 0) -> None:
        super().__init__(width, side)
        self.ConvTranspose_0 = Double(below, width) if below else None
        self.Conv_0, self.Conv_1 = Conv(channels, width), Conv(width, width)

    @override
    def forward(self, sources: Sequence[FeatureSource], other: Features) -> tuple[Features, Features]:
        if self.ConvTranspose_0 is not None:
            other = self.ConvTranspose_0(other)
        other = self.Conv_1(other)
        return self.cross(join(sources, self.Conv_0), other)


class ResidualConvs(nn.Module):
    """Convolutions of normalised features, weighted by channel and added to the features."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.LayerNorm = ChannelNorm(width)
        self.conv1, self.conv2 = Conv(width, width, 3), Conv(width, width, 3)
        self.channel_attention = _ChannelAttention(width)

    @override
    def forward(self, features: Features) -> Features:
        inner = functional.leaky_relu(self.conv1(self.LayerNorm(features)), _SLOPE, inplace=True)
        return self.channel_attention(self.conv2(inner), features)


class ResidualDense(nn.Module):
    """A perceptron over the channels of normalised features, weighted by channel and added to the features."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.LayerNorm = ChannelNorm(width)
        self.channel_mixing = _Perceptron(width)
        self.channel_attention = _ChannelAttention(width)

    @override
    def forward(self, features: Features) -> Features:
        return self.channel_attention(self.channel_mixing(self.LayerNorm(features)), features)


class _Perceptron(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.Dense_0, self.Dense_1 = nn.Linear(width, width), nn.Linear(width, width)

    @override
    def forward(self, features: Features) -> Features:
        return dense(dense_gelu(features, self.Dense_0), self.Dense_1)


class _ChannelAttention(nn.Module):
    """Each channel times a factor that the means of all channels give, and a base added."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.Conv_0, self.Conv_1 = Conv(width, width // _REDUCTION), Conv(width // _REDUCTION, width)

    @override
    def forward(self, features: Features, base: Features) -> Features:
        inner = functional.relu(self.Conv_0(features.mean((1, 2), keepdim=True)))
        return torch.addcmul(base, features, torch.sigmoid(self.Conv_1(inner)))


class SupervisedAttention(nn.Module):
    """Features times a factor that the restored image of their stage gives, added to themselves."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.Conv_0, self.Conv_1, self.Conv_2 = Conv(width, width, 3), Conv(width, 3, 3), Conv(3, width, 3)

    @override
    def forward(self, features: Features, image: Features) -> Features:
        attention = torch.sigmoid(self.Conv_2(self.Conv_1(features) + image))
        return torch.addcmul(features, self.Conv_0(features), attention)


def join(sources: Sequence[FeatureSource], conv: Conv) -> Features:
    """A 1x1 convolution of the sources, each resampled and convolved by itself first, side by side.

    Resampling and convolutions of single pixels may change places, so both convolutions are one, at the smaller size.
    """
    weights = list(conv.weight[:, :, 0, 0].split([_width_of(source) for source in sources], 1))
    bias = conv.get_parameter("bias")
    for number, source in enumerate(sources):
        if source.conv is not None:
            bias = bias + weights[number] @ source.conv.get_parameter("bias")
            weights[number] = weights[number] @ source.conv.weight[:, :, 0, 0]
    parts = (
        _enlarge(pixelwise(_shrink(source.features, -source.levels), weight), source.levels)
        for source, weight in zip(sources, weights, strict=True)
    )
    answer = next(parts).add_(bias)
    for part in parts:  # one at a time, for the sake of memory
        answer.add_(part)
    return answer


def _width_of(source: FeatureSource) -> int:
    return source.features.shape[-1] if source.conv is None else source.conv.out_channels


def _enlarge(features: Features, levels: int) -> Features:
    """Bilinear interpolation, doubled so many times."""
    if levels <= 0:
        return features
    images = functional.interpolate(features.permute(0, 3, 1, 2), scale_factor=float(2**levels), mode="bilinear")
    return images.permute(0, 2, 3, 1)


def _shrink(features: Features, levels: int) -> Features:
    """Bilinear interpolation without aliasing, halved so many times.

    A triangle of weights twice as wide as a new pixel, as one convolution: torch's own way with it is slow, and none in
    bfloat16.
    """
    if levels <= 0:
        return features
    factor, channels = 2**levels, features.shape[-1]
    rising = torch.arange(1, 2 * factor, 2, dtype=features.dtype, device=features.device) / (2 * factor**2)
    triangle = torch.cat((rising, rising.flip(0)))
    weight = torch.outer(triangle, triangle).expand(channels, 1, -1, -1)
    images = functional.conv2d(features.permute(0, 3, 1, 2), weight, None, factor, factor // 2, 1, channels)
    # At the borders an eighth of the weights lies outside, whatever the factor.
    for edge in (images[:, :, 0], images[:, :, -1], images[..., 0], images[..., -1]):
        edge.mul_(8 / 7)
    return images.permute(0, 2, 3, 1)
