"""MPRNet for deblurring (Zamir et al., "Multi-stage progressive image restoration", CVPR 2021).

Three stages: two U-shaped networks, on quarters and on halves of the photo, and one that never changes its size. Each
hands features to the next, through a module that sees what its image looks like so far. No convolution has a bias, and
all rectifiers of the network share one slope. Names of tensors are those of the released file.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["Mprnet", "Stages", "mprnet"]

_WIDTHS = (96, 144, 192)
"""Channels of the U-shaped networks at full, half and quarter size."""
_WIDE = 128
"""Channels of the last stage."""
_BLOCKS = 8
"""Attention blocks in each of the three groups of the last stage."""
_REDUCTION = 4


class Stages(NamedTuple):
    """The sharp image of every stage; the last one is the answer, all are trained."""

    third: Tensor
    second: Tensor
    first: Tensor


class Mprnet(nn.Module):
    """Images in, images of the same size out, each the sum of the input and what was found.

    Its means over channels look at the whole image (in the first two stages: at its quarters and halves).
    """

    multiple = 8
    """Height and width must be multiples of it."""

    def __init__(self) -> None:
        super().__init__()
        slope = _Slope()
        width = _WIDTHS[0]
        self.shallow_feat1, self.shallow_feat2, self.shallow_feat3 = (
            nn.Sequential(_conv(3, width), _Attention(width, slope)) for _ in range(3)
        )
        self.stage1_encoder, self.stage1_decoder = _Encoder(slope, joins=False), _Decoder(slope)
        self.stage2_encoder, self.stage2_decoder = _Encoder(slope, joins=True), _Decoder(slope)
        self.stage3_orsnet = _FullSize(slope)
        self.sam12, self.sam23 = _Supervision(width), _Supervision(width)
        self.concat12, self.concat23 = _conv(2 * width, width), _conv(2 * width, _WIDE)
        self.tail = _conv(_WIDE, 3)

    def forward(self, image: Float[Tensor, "b 3 h w"]) -> Stages:
        """What every stage made of the image; not clamped."""
        firsts, supervised = zip(*(self._first_stage(half) for half in image.chunk(2, 2)), strict=True)
        halves = [
            self._look_again(half, first, seen.features)
            for half, first, seen in zip(image.chunk(2, 2), firsts, supervised, strict=True)
        ]
        encoded = _join(halves, 2)
        decoded = self.stage2_decoder(encoded)
        second = self.sam23(decoded[0], image)
        features = self.concat23(torch.cat((self.shallow_feat3(image), second.features), 1))
        third = self.tail(self.stage3_orsnet(features, encoded, decoded)) + image
        return Stages(third, second.image, torch.cat([seen.image for seen in supervised], 2))

    def _first_stage(self, half: Tensor) -> tuple[_Passed, _Supervised]:
        """Quarters are encoded alone, halves decoded."""
        quarters = [self.stage1_encoder(self.shallow_feat1(quarter)) for quarter in half.chunk(2, 3)]
        encoded = _join(quarters, 3)
        decoded = self.stage1_decoder(encoded)
        return _Passed(encoded, decoded), self.sam12(decoded[0], half)

    def _look_again(self, half: Tensor, first: _Passed, features: Tensor) -> list[Tensor]:
        joined = self.concat12(torch.cat((self.shallow_feat2(half), features), 1))
        return self.stage2_encoder(joined, first)


def mprnet() -> Mprnet:
    """The released configuration: 20,127,073 parameters."""
    return Mprnet()


class _Passed(NamedTuple):
    """What a U-shaped network found, at full, half and quarter size."""

    encoded: Sequence[Tensor]
    decoded: Sequence[Tensor]


class _Supervised(NamedTuple):
    features: Tensor
    image: Tensor


class _Slope(nn.PReLU):
    """In the numbers of its input: under autocast torch lets those of the weight differ and then refuses them."""

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - as nn.PReLU calls it
        return functional.prelu(input, self.weight.to(input.dtype))


class _Attention(nn.Module):
    """Two convolutions, each channel scaled by a factor computed from all means, added to what goes in (CAB)."""

    def __init__(self, width: int, slope: nn.PReLU) -> None:
        super().__init__()
        self.CA = _ChannelScale(width)
        self.body = nn.Sequential(_conv(width, width), slope, _conv(width, width))

    def forward(self, features: Tensor) -> Tensor:
        return self.CA(self.body(features)).add_(features)


class _ChannelScale(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        narrow = width // _REDUCTION
        self.conv_du = nn.Sequential(_conv(width, narrow, 1), nn.ReLU(), _conv(narrow, width, 1), nn.Sigmoid())

    def forward(self, features: Tensor) -> Tensor:
        return features * self.conv_du(features.mean((2, 3), keepdim=True))


class _Encoder(nn.Module):
    """Features at three sizes.

    Args:
        slope: Slope of every rectifier for negative values.
        joins: Whether it gets the features of the stage before and adds them at each size.
    """

    def __init__(self, slope: nn.PReLU, *, joins: bool) -> None:
        super().__init__()
        self.encoder_level1, self.encoder_level2, self.encoder_level3 = (_attend(width, slope) for width in _WIDTHS)
        self.down12, self.down23 = _Down(_WIDTHS[0], _WIDTHS[1]), _Down(_WIDTHS[1], _WIDTHS[2])
        if joins:
            self.csff_enc1, self.csff_enc2, self.csff_enc3 = (_conv(width, width, 1) for width in _WIDTHS)
            self.csff_dec1, self.csff_dec2, self.csff_dec3 = (_conv(width, width, 1) for width in _WIDTHS)

    def forward(self, features: Tensor, before: _Passed | None = None) -> list[Tensor]:
        found: list[Tensor] = []
        for level in range(3):
            if level:
                features = (self.down12, self.down23)[level - 1](features)
            features = (self.encoder_level1, self.encoder_level2, self.encoder_level3)[level](features)
            if before is not None:
                own = (self.csff_enc1, self.csff_enc2, self.csff_enc3)[level](before.encoded[level])
                other = (self.csff_dec1, self.csff_dec2, self.csff_dec3)[level](before.decoded[level])
                features = features + own + other
            found.append(features)
        return found


class _Decoder(nn.Module):
    """Features at three sizes, each with what comes up from the smaller ones."""

    def __init__(self, slope: nn.PReLU) -> None:
        super().__init__()
        self.decoder_level1, self.decoder_level2, self.decoder_level3 = (_attend(width, slope) for width in _WIDTHS)
        self.skip_attn1, self.skip_attn2 = _Attention(_WIDTHS[0], slope), _Attention(_WIDTHS[1], slope)
        self.up21, self.up32 = _Up(_WIDTHS[1], _WIDTHS[0]), _Up(_WIDTHS[2], _WIDTHS[1])

    def forward(self, encoded: Sequence[Tensor]) -> list[Tensor]:
        third = self.decoder_level3(encoded[2])
        second = self.decoder_level2(self.up32(third) + self.skip_attn2(encoded[1]))
        first = self.decoder_level1(self.up21(second) + self.skip_attn1(encoded[0]))
        return [first, second, third]


class _FullSize(nn.Module):
    """Three groups of blocks at full size; after each, what the second stage found at one size is added (ORSNet)."""

    def __init__(self, slope: nn.PReLU) -> None:
        super().__init__()
        self.orb1, self.orb2, self.orb3 = (_Group(slope) for _ in range(3))
        self.up_enc1, self.up_dec1 = (_Up(_WIDTHS[1], _WIDTHS[0]) for _ in range(2))
        self.up_enc2, self.up_dec2 = (
            nn.Sequential(_Up(_WIDTHS[2], _WIDTHS[1]), _Up(_WIDTHS[1], _WIDTHS[0])) for _ in range(2)
        )
        self.conv_enc1, self.conv_enc2, self.conv_enc3 = (_conv(_WIDTHS[0], _WIDE, 1) for _ in range(3))
        self.conv_dec1, self.conv_dec2, self.conv_dec3 = (_conv(_WIDTHS[0], _WIDE, 1) for _ in range(3))

    def forward(self, features: Tensor, encoded: Sequence[Tensor], decoded: Sequence[Tensor]) -> Tensor:
        features = self.orb1(features) + self.conv_enc1(encoded[0]) + self.conv_dec1(decoded[0])
        features = (
            self.orb2(features) + self.conv_enc2(self.up_enc1(encoded[1])) + self.conv_dec2(self.up_dec1(decoded[1]))
        )
        return self.orb3(features) + self.conv_enc3(self.up_enc2(encoded[2])) + self.conv_dec3(self.up_dec2(decoded[2]))


class _Group(nn.Module):
    """Attention blocks and a convolution, added to what goes in (ORB)."""

    def __init__(self, slope: nn.PReLU) -> None:
        super().__init__()
        self.body = nn.Sequential(*(_Attention(_WIDE, slope) for _ in range(_BLOCKS)), _conv(_WIDE, _WIDE))

    def forward(self, features: Tensor) -> Tensor:
        return self.body(features).add_(features)


class _Supervision(nn.Module):
    """An image of the features so far, and features weighted by it (SAM)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1, self.conv2, self.conv3 = _conv(width, width, 1), _conv(width, 3, 1), _conv(3, width, 1)

    def forward(self, features: Tensor, blurry: Tensor) -> _Supervised:
        image = self.conv2(features) + blurry
        return _Supervised(self.conv1(features) * self.conv3(image).sigmoid() + features, image)


class _Down(nn.Module):
    """Half the size: the mean of four pixels is what bilinear interpolation gives for even sizes."""

    def __init__(self, width: int, wider: int) -> None:
        super().__init__()
        self.down = nn.Sequential(nn.AvgPool2d(2), _conv(width, wider, 1))

    def forward(self, features: Tensor) -> Tensor:
        return self.down(features)


class _Up(nn.Module):
    """Twice the size."""

    def __init__(self, width: int, narrower: int) -> None:
        super().__init__()
        self.up = nn.Sequential(nn.Upsample(scale_factor=2, mode="bilinear"), _conv(width, narrower, 1))

    def forward(self, features: Tensor) -> Tensor:
        return self.up(features)


def _attend(width: int, slope: nn.PReLU) -> nn.Sequential:
    return nn.Sequential(_Attention(width, slope), _Attention(width, slope))


def _conv(channels_in: int, channels_out: int, size: int = 3) -> nn.Conv2d:
    return nn.Conv2d(channels_in, channels_out, size, padding=size // 2, bias=False)


def _join(parts: Sequence[Sequence[Tensor]], axis: int) -> list[Tensor]:
    """Features of patches side by side, at each size."""
    return [torch.cat(level, axis) for level in zip(*parts, strict=True)]
