"""The encoder-decoder with skips whose own structure is a prior on images (Ren et al., CVPR 2020; 2,365,521 weights).

It is never trained on data: its weights are fitted to one photo, from a fixed random input. It descends from the
hourglass of Ulyanov et al. (CVPR 2018); non-local blocks on its coarse scales are those of Wang et al. (CVPR 2018).
"""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F  # noqa: N812 - the name that everyone gives it
from jaxtyping import Float
from torch import Tensor, nn

from unblur.backbones.reflection import Reflection

__all__ = ["NonLocal", "SkipNet", "image_prior"]

_SLOPE = 0.2

Padding = Literal["reflect", "zeros"]
Features = Float[Tensor, "b c h w"]


class SkipNet(nn.Module):
    """Down over some scales and up again; each scale hands a narrow skip to its decoder.

    Args:
        in_channels: Of the input.
        out_channels: Of the image.
        width: Channels of encoders and decoders.
        skip: Channels of each skip.
        scales: How often the size is halved.
        non_local_from: First scale, counted from 0, whose encoder has a non-local block.
        padding: What convolutions see beyond the border.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        width: int,
        skip: int,
        scales: int,
        non_local_from: int,
        padding: Padding,
    ) -> None:
        super().__init__()
        self.skips, self.downs, self.decoders = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()
        for scale in range(scales):
            channels = in_channels if scale == 0 else width
            block = [NonLocal(width)] if scale >= non_local_from else []
            self.skips.append(nn.Sequential(*_layer(channels, skip, 1)))
            self.downs.append(
                nn.Sequential(
                    *_layer(channels, width, 3, stride=2, padding=padding),
                    *block,
                    *_layer(width, width, 3, padding=padding),
                )
            )
            self.decoders.append(
                nn.Sequential(
                    nn.BatchNorm2d(skip + width),
                    *_layer(skip + width, width, 3, padding=padding),
                    *_layer(width, width, 1),
                )
            )
        self.head = nn.Conv2d(width, out_channels, 1)

    def forward(self, code: Features) -> Features:
        """The image that the network makes of its input: same height and width (any from 1 up), values in (0, 1)."""
        levels = [code]
        for down in self.downs:
            levels.append(down(levels[-1]))
        features = levels.pop()
        for skip, decoder, level in zip(reversed(self.skips), reversed(self.decoders), reversed(levels), strict=True):
            upper = F.interpolate(features, scale_factor=2.0, mode="bilinear", align_corners=False)
            features = decoder(torch.cat([skip(level), _crop_middle(upper, level)], dim=1))
        # Not in half precision: steps of the image that the losses look at would be larger than what they look for.
        with torch.autocast(code.device.type, enabled=False):
            return torch.sigmoid(self.head(features.to(self.head.weight.dtype)))


class NonLocal(nn.Module):
    """Adds to each place a mean of all places, weighted by their dot products; at first it adds nothing.

    Wang et al. (CVPR 2018), Eq. 6, dot-product version with subsampled keys.

    Args:
        channels: Of its input; keys and values have half as many.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        inner = channels // 2
        self.query, self.key, self.value = (nn.Conv2d(channels, inner, 1) for _ in range(3))
        self.back = nn.Conv2d(inner, channels, 1)
        self.norm = nn.BatchNorm2d(channels)
        nn.init.zeros_(self.norm.weight)

    def forward(self, features: Features) -> Features:
        """Of the same shape."""
        height, width = features.shape[-2:]
        query = self.query(features).flatten(2)
        key, value = (_pool(branch(features)).flatten(2) for branch in (self.key, self.value))
        # (values keys^T) queries: the same product in the order that never makes a square of all places.
        mixing = value @ key.mT / key.shape[-1]
        answer = (mixing @ query).unflatten(2, (height, width))
        return features + self.norm(self.back(answer))


def image_prior(
    out_channels: int = 1, *, in_channels: int = 8, width: int = 128, padding: Padding = "reflect"
) -> SkipNet:
    """The network of SelfDeblur: five scales, 16 channels in each skip; other widths are quicker and simpler."""
    return SkipNet(in_channels, out_channels, width=width, skip=16, scales=5, non_local_from=2, padding=padding)


def _layer(
    channels: int, out_channels: int, size: int, *, stride: int = 1, padding: Padding = "reflect"
) -> list[nn.Module]:
    mirrored = size > 1 and padding == "reflect"
    convolution = nn.Conv2d(channels, out_channels, size, stride, 0 if mirrored else size // 2)
    before = [Reflection()] if mirrored else []
    return [*before, convolution, nn.BatchNorm2d(out_channels), nn.LeakyReLU(_SLOPE, inplace=True)]


def _pool(features: Tensor) -> Tensor:
    return F.max_pool2d(features, 2) if min(features.shape[-2:]) > 1 else features


def _crop_middle(features: Tensor, like: Tensor) -> Tensor:
    """Doubling a half that was rounded up gives one row or column too many, at most."""
    height, width = like.shape[-2:]
    top, left = (features.shape[-2] - height) // 2, (features.shape[-1] - width) // 2
    return features[..., top : top + height, left : left + width]
