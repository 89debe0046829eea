"""The network M that estimates the motion of each pixel of one photo, and operations on its maps.

A motion map `(B, 2, H, W)` has its channels in the order (down, right), and 1 stands for a straight blur of 40 pixels
in that direction: half of it, 20 pixels, to each side. Elsewhere in unblur motion fields are (right, down) in pixels;
see `to_motion_field`.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["REACH", "MotionNet", "canonical", "from_motion_field", "mean_over_views", "to_motion_field"]

REACH = 20.0
"""Pixels to each side that 1 in a map stands for."""

_SLOPE = 0.2
_ENLARGED = 3
"""Halves of its size that an image has in one of the two looks at it."""


class MotionNet(nn.Module):
    """Photos `(B, 3, H, W)` in, motion maps out; 1,128,002 parameters.

    Height and width are multiples of 8, and 16 or more. Names of tensors are those of the released files, in which the
    convolutions of each bottleneck stand under two names.
    """

    multiple = 8
    """Height and width must be multiples of it."""

    def __init__(self) -> None:
        super().__init__()
        self.conv_1 = _stage(12, 16, nn.ReflectionPad2d(2), stride=1)
        self.conv_2 = _stage(16, 32, nn.ReflectionPad2d((1, 2, 1, 2)), stride=2)
        self.conv_3 = _stage(32, 64, nn.ReflectionPad2d((1, 2, 1, 2)), stride=2)
        self.bottleneck_1, self.bottleneck_2, self.bottleneck_3 = _Bottleneck(64), _Bottleneck(64), _Bottleneck(32)
        self.uconv_1, self.uconv_2, self.uconv_3 = _enlarge(64, 32), _enlarge(64, 16), _enlarge(32, 32)
        self.conv_out_0 = nn.Conv2d(32, 2, 5, padding=2)
        self.apply(_start)

    def forward(self, image: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b 2 h w"]:
        """The map as it comes; see `canonical`."""
        half = self.conv_1(_gather(image))
        quarter = self.conv_2(half)
        features = self.bottleneck_1(self.conv_3(quarter))
        features = self.bottleneck_2(torch.cat((_bend(self.uconv_1(features)), quarter), 1))
        features = self.bottleneck_3(torch.cat((_bend(self.uconv_2(features)), half), 1))
        return self.conv_out_0(self.uconv_3(features).relu())


def canonical(motion: Float[Tensor, "b 2 h w"]) -> Float[Tensor, "b 2 h w"]:
    """The same blur with no motion to the left: a straight line has two directions, and this picks one."""
    return torch.where(motion[:, 1:] < 0, -motion, motion)


def to_motion_field(motion: Float[Tensor, "b 2 h w"]) -> Float[Tensor, "b 2 h w"]:
    """(right, down) in pixels over the exposure, as everywhere else in unblur."""
    return 2 * REACH * motion.flip(1)


def from_motion_field(field: Float[Tensor, "b 2 h w"]) -> Float[Tensor, "b 2 h w"]:
    """The map of a motion field in pixels; undoes `to_motion_field`."""
    return field.flip(1) / (2 * REACH)


def mean_over_views(see: Callable[[Tensor], Tensor], image: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b 2 h w"]:
    """Mean estimate over two views of an image: as it is, and enlarged, mirrored and turned by a quarter.

    A network that is short of training takes every motion for one of middling length. Where the image is larger, the
    same motion is long and not short, so the two errors go in opposite directions. A line has no sign, so what is seen
    is added up along the direction that all looks share; where they disagree, the mean is short.

    Args:
        see: Gives the motion map of an image.
        image: Image whose sides are multiples of 16.

    Returns:
        The map with one of the two directions chosen.
    """
    height, width = image.shape[-2:]
    sides = [_ENLARGED * side // 32 * 16 for side in (height, width)]
    larger = functional.interpolate(image.flip(-1), sides, mode="bicubic", antialias=True)
    looks = [see(image)]
    down, right = functional.interpolate(_turned_look(see, larger), (height, width), mode="bilinear").unbind(1)
    looks.append(torch.stack((down * (height / sides[0]), -right * (width / sides[1])), 1).flip(-1))
    return canonical(_shared(torch.stack(looks)))


def _turned_look(see: Callable[[Tensor], Tensor], image: Tensor) -> Tensor:
    """The estimate for an image turned by a quarter, which is undone in the map."""
    down, right = torch.rot90(see(torch.rot90(image, 1, (-2, -1))), -1, (-2, -1)).unbind(1)
    return torch.stack((-right, down), 1)  # turned back, up is right and right is down


def _shared(looks: Tensor) -> Tensor:
    """The mean of maps `(n, B, 2, H, W)` whose signs mean nothing."""
    down, right = looks.unbind(2)
    angle = torch.atan2(2 * (down * right).mean(0), (right.square() - down.square()).mean(0)) / 2
    along = (looks * torch.stack((angle.sin(), angle.cos()), 1)).sum(2, keepdim=True)
    return torch.where(along < 0, -looks, looks).mean(0)


class _Bottleneck(nn.Module):
    """Two convolutions, once under their own names and once in order."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(width, 2 * width, 1), nn.Conv2d(2 * width, width, 3, padding=1)
        self.model = nn.Sequential(self.conv1, nn.LeakyReLU(_SLOPE), self.conv2, nn.LeakyReLU(_SLOPE))

    def forward(self, features: Tensor) -> Tensor:
        return self.model(features)


class _Residual(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv_block = nn.Sequential(
            nn.ReplicationPad2d(2), nn.Conv2d(width, width, 5), nn.ReLU(),
            nn.ReplicationPad2d(2), nn.Conv2d(width, width, 5),
        )  # fmt: skip

    def forward(self, features: Tensor) -> Tensor:
        return features + self.conv_block(features)


def _stage(channels_in: int, channels_out: int, padding: nn.Module, stride: int) -> nn.Sequential:
    residuals = nn.Sequential(*(_Residual(channels_out) for _ in range(3)))
    return nn.Sequential(padding, nn.Conv2d(channels_in, channels_out, 5, stride), nn.ReLU(), residuals)


def _enlarge(channels_in: int, channels_out: int) -> nn.ConvTranspose2d:
    return nn.ConvTranspose2d(channels_in, channels_out, 4, stride=2, padding=1)


def _bend(features: Tensor) -> Tensor:
    return functional.leaky_relu(features, _SLOPE)


def _gather(image: Tensor) -> Tensor:
    """Four pixels as channels, pixel by pixel; torch's `pixel_unshuffle` goes colour by colour."""
    return torch.cat([image[..., row::2, column::2] for row in (0, 1) for column in (0, 1)], 1)


def _start(module: nn.Module) -> None:
    """Glorot and Bengio (2010), as the released training begins."""
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.xavier_normal_(module.weight)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
