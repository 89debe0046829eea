"""The encoder-decoder with skips whose own structure is a prior on images (Ren et al., CVPR 2020; 2,365,521 weights).

It is never trained on data: its weights are fitted to one photo, from a fixed random input. It descends from the
hourglass of Ulyanov et al. (CVPR 2018); non-local blocks on its coarse scales are those of Wang et al. (CVPR 2018).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
import torch.nn.functional as F  # noqa: N812 - the name that everyone gives it
from jaxtyping import Float
from torch import Tensor, nn

from unblur.backbones.reflection import Reflection

__all__ = ["NonLocal", "SkipNet", "image_prior", "side_by_side"]

_SLOPE = 0.2

Padding = Literal["reflect", "zeros"]
Features = Float[Tensor, "b c h w"]


class SkipNet(nn.Module):
    """Down over some scales and up again; each scale hands a narrow skip to its decoder.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the image.
        width: Channels of encoders and decoders.
        skip: Channels of each skip.
        scales: How often the size is halved.
        non_local_from: First scale, counted from 0, whose encoder has a non-local block.
        padding: What convolutions see beyond the border.
        copies: Number of networks side by side in one, each with weights of its own along the first axis: groups of
            convolutions, whose input has the channels of all copies one after another, and so has the image.
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
        copies: int = 1,
    ) -> None:
        super().__init__()
        self.copies = copies
        self.skips, self.downs, self.decoders = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()
        for scale in range(scales):
            channels = in_channels if scale == 0 else width
            block = [NonLocal(width, copies)] if scale >= non_local_from else []
            self.skips.append(nn.Sequential(*_layer(channels, skip, 1, copies=copies)))
            self.downs.append(
                nn.Sequential(
                    *_layer(channels, width, 3, stride=2, padding=padding, copies=copies),
                    *block,
                    *_layer(width, width, 3, padding=padding, copies=copies),
                )
            )
            self.decoders.append(
                nn.Sequential(
                    nn.BatchNorm2d(copies * (skip + width)),
                    *_layer(skip + width, width, 3, padding=padding, copies=copies),
                    *_layer(width, width, 1, copies=copies),
                )
            )
        self.head = _convolution(width, out_channels, 1, copies=copies)

    @torch.no_grad()
    def answer_nothing(self) -> None:
        """Begin with an answer, before the sigmoid, of zeros."""
        self.head.weight.zero_()
        if self.head.bias is not None:
            self.head.bias.zero_()

    def forward(
        self, code: Features, offset: Float[Tensor, "b c_image h w"] | None = None
    ) -> Float[Tensor, "b c_image h w"]:
        """The image that the network makes of its input: same height and width (any from 1 up), values in (0, 1).

        Args:
            code: The input.
            offset: Added to the network's answer before its sigmoid.
        """
        levels = [code]
        for down in self.downs:
            levels.append(down(levels[-1]))
        features = levels.pop()
        for skip, decoder, level in zip(reversed(self.skips), reversed(self.decoders), reversed(levels), strict=True):
            upper = F.interpolate(features, scale_factor=2.0, mode="bilinear", align_corners=False)
            wide = _crop_middle(_with_ordered_gradient(upper), level)
            features = decoder(self._beside(_with_ordered_gradient(skip(level)), wide))
        # Not in half precision: steps of the image that the losses look at would be larger than what they look for.
        with torch.autocast(code.device.type, enabled=False):
            answer = self._mix(features.to(self.head.weight.dtype))
            return torch.sigmoid(answer if offset is None else answer + offset)

    def _mix(self, features: Features) -> Float[Tensor, "b c_image h w"]:
        """The head; of one network as a product of matrices, whose gradient is quicker than that of a convolution."""
        if self.copies > 1:
            return self.head(features)
        weights = self.head.weight.flatten(1)
        return F.linear(features.permute(0, 2, 3, 1), weights, self.head.bias).permute(0, 3, 1, 2)

    def _beside(
        self, narrow: Float[Tensor, "b c_narrow h w"], wide: Float[Tensor, "b c_wide h w"]
    ) -> Float[Tensor, "b c_both h w"]:
        """The channels of both, copy by copy."""
        if self.copies == 1:
            return torch.cat([narrow, wide], dim=1)
        parts = (features.unflatten(1, (self.copies, -1)) for features in (narrow, wide))
        return torch.cat(list(parts), dim=2).flatten(1, 2)


class NonLocal(nn.Module):
    """Adds to each place a mean of all places, weighted by their dot products; at first it adds nothing.

    Wang et al. (CVPR 2018), Eq. 6, dot-product version with subsampled keys.

    Args:
        channels: Channels of its input; keys and values have half as many.
        copies: See `SkipNet`; the places of one copy know nothing of another.
    """

    def __init__(self, channels: int, copies: int = 1) -> None:
        super().__init__()
        inner = channels // 2
        self.copies = copies
        self.query, self.key, self.value = (_convolution(channels, inner, 1, copies=copies) for _ in range(3))
        self.back = _convolution(inner, channels, 1, copies=copies)
        self.norm = nn.BatchNorm2d(copies * channels)
        nn.init.zeros_(self.norm.weight)

    def forward(self, features: Features) -> Features:
        """Features of the same shape."""
        height, width = features.shape[-2:]
        query = self._places(self.query(features))
        key, value = (self._places(_pool(branch(features))) for branch in (self.key, self.value))
        # (values keys^T) queries: the same product in the order that never makes a square of all places.
        mixing = value @ key.mT / key.shape[-1]
        answer = (mixing @ query).flatten(1, 2).unflatten(2, (height, width))
        return features + self.norm(self.back(answer))

    def _places(self, features: Features) -> Float[Tensor, "b copies c_each places"]:
        return features.unflatten(1, (self.copies, -1)).flatten(3)


def image_prior(
    out_channels: int = 1,
    *,
    in_channels: int = 8,
    width: int = 128,
    padding: Padding = "reflect",
    copies: int = 1,
) -> SkipNet:
    """The network of SelfDeblur: five scales, 16 channels in each skip; other widths are quicker and simpler."""
    return SkipNet(
        in_channels,
        out_channels,
        width=width,
        skip=16,
        scales=5,
        non_local_from=2,
        padding=padding,
        copies=copies,
    )


@torch.no_grad()
def side_by_side(networks: Sequence[SkipNet], together: SkipNet) -> SkipNet:
    """Several networks as one.

    Args:
        networks: Networks of one form, without copies; they are not changed.
        together: Network of the same form with as many copies; it takes over their weights.
    """
    for name, weights in together.named_parameters():
        weights.copy_(torch.cat([network.get_parameter(name) for network in networks]))
    return together


def _layer(
    channels: int, out_channels: int, size: int, *, stride: int = 1, padding: Padding = "reflect", copies: int = 1
) -> list[nn.Module]:
    mirrored = size > 1 and padding == "reflect"
    convolution = _convolution(channels, out_channels, size, stride, 0 if mirrored else size // 2, copies=copies)
    before = [Reflection()] if mirrored else []
    return [*before, convolution, nn.BatchNorm2d(copies * out_channels), nn.LeakyReLU(_SLOPE, inplace=True)]


def _convolution(
    channels: int, out_channels: int, size: int, stride: int = 1, margin: int = 0, *, copies: int
) -> nn.Conv2d:
    return nn.Conv2d(copies * channels, copies * out_channels, size, stride, margin, groups=copies)


def _pool(features: Tensor) -> Tensor:
    return F.max_pool2d(features, 2) if min(features.shape[-2:]) > 1 else features


def _with_ordered_gradient(features: Tensor) -> Tensor:
    """The same features, whose gradient is laid out as they are: a part of another's is slow for most operations."""
    last = features.is_contiguous(memory_format=torch.channels_last)
    layout = torch.channels_last if last else torch.contiguous_format

    def order(slope: Tensor) -> Tensor:
        return slope.contiguous(memory_format=layout)

    if features.requires_grad:
        features.register_hook(order)
    return features


def _crop_middle(features: Tensor, like: Tensor) -> Tensor:
    """Doubling a half that was rounded up gives one row or column too many, at most."""
    height, width = like.shape[-2:]
    top, left = (features.shape[-2] - height) // 2, (features.shape[-1] - width) // 2
    return features[..., top : top + height, left : left + width]
