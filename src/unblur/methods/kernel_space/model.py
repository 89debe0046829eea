"""The two networks of Tran, Tran, Phung, Hoai, "Explore image deblurring via encoded blur kernel space" (CVPR 2021).

The extractor G finds the blur between a sharp and a blurry photo as a code, a small grid of numbers; the operator F
blurs any sharp photo x with a code k:

    k = G(x, y),    y = F(x, k)

A cell of the grid covers 128 x 128 pixels. The published networks, here, share the layers that look at photos, and the
names of their tensors are those of the released files, in which the operator is `adapter` and `recon_trunk`. The
reduced networks are in `filters`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple, cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from unblur.backbones.reflection import Reflection
from unblur.blur.borders import crop_padding, pad_to_multiple
from unblur.errors import ShapeError

__all__ = ["CELL", "Code", "CodeSpread", "Image", "KernelSpace", "PublishedSpace", "ResidualBlock", "full_kernel_space"]

CELL = 128
"""Side in pixels of what one cell of a code covers."""

_HALVINGS = 5
"""From the features, which are a quarter of the photo in size, to the code."""
_LAST_HALVING = 1 + 3 * _HALVINGS
"""Its place in the extractor: a convolution and two layers without weights come before each."""

Image = Float[Tensor, "b c h w"]
Features = Float[Tensor, "b f h4 w4"]
Code = Float[Tensor, "b k gh gw"]


class CodeSpread(NamedTuple):
    """The extractor's estimate of a blur: a normal distribution of codes.

    Attributes:
        mean: The code.
        sigma: Its standard deviation up to the sign, which nothing fixes; 0 for a plain extractor.
    """

    mean: Code
    sigma: Code


class KernelSpace(nn.Module, ABC):
    """F and G, whatever they are made of; photos of any size.

    Attributes:
        in_linear_light: The operator blurs in linear light by its form. Of the published one nothing but its training
            decides that.

    Args:
        code: Channels of a code.
        variational: The extractor gives a deviation as well, and codes are drawn in training.
    """

    in_linear_light = False

    def __init__(self, code: int, *, variational: bool) -> None:
        super().__init__()
        self.code, self.variational = code, variational

    def extract(self, sharp: Image, blurry: Image) -> CodeSpread:
        """G: the blur between two photos of the same scene.

        Args:
            sharp: Values in [0, 1].
            blurry: Blurry image of the same shape.

        Raises:
            ShapeError: The photos differ in size.
        """
        _check_alike(sharp, blurry)
        return self._spread(self._look(sharp), self._look(blurry))

    def blur(self, sharp: Image, code: Code) -> Image:
        """F: the photo under the blur of a code; not clamped.

        Args:
            sharp: Values in [0, 1].
            code: A cell for every 128 x 128 pixels, begun ones included.

        Raises:
            ShapeError: The code's grid does not cover the photo.
        """
        grid, wanted = tuple(code.shape[1:]), self.code_shape(*sharp.shape[-2:])
        if grid != wanted:
            raise ShapeError(f"a code for this photo has the shape {wanted}, not {grid}")
        return self._blur(sharp, self._look(sharp), code)

    def forward(self, sharp: Image, blurry: Image, order: Sequence[int] | None = None) -> tuple[Image, CodeSpread]:
        """F(x, G(x, y)), which is to be y, and G(x, y).

        In training, codes of a variational network are drawn from their distribution; otherwise its mean is taken.

        Args:
            sharp: Values in [0, 1].
            blurry: Blurry images of the same shape.
            order: For each photo the number of the pair whose code blurs it; None: its own.

        Raises:
            ShapeError: The photos differ in size.
        """
        _check_alike(sharp, blurry)
        seen = self._look(sharp)
        spread = self._spread(seen, self._look(blurry))
        is_drawn = self.training and self.variational
        code = spread.mean + spread.sigma * torch.randn_like(spread.sigma) if is_drawn else spread.mean
        return self._blur(sharp, seen, code if order is None else code[list(order)]), spread

    def code_shape(self, height: int, width: int) -> tuple[int, int, int]:
        """The shape `(k, gh, gw)` of a code for photos of this size in pixels."""
        return self.code, -(-height // CELL), -(-width // CELL)

    @abstractmethod
    def divide_code(self, size: float) -> None:
        """Make codes smaller by this factor and the operator as much more sensitive to them: blurs stay the same."""

    @abstractmethod
    def _look(self, image: Image) -> Tensor:
        """What both networks see of a photo."""

    @abstractmethod
    def _find(self, sharp: Tensor, blurry: Tensor) -> Code:
        """G of what is seen of two photos; deviations of a variational network follow the means."""

    @abstractmethod
    def _blur(self, sharp: Image, seen: Tensor, code: Code) -> Image:
        """F of a photo, and of what is seen of it."""

    def _spread(self, sharp: Tensor, blurry: Tensor) -> CodeSpread:
        answer = self._find(sharp, blurry)
        if self.variational:
            mean, sigma = answer.chunk(2, 1)
            return CodeSpread(mean, sigma)
        return CodeSpread(answer, torch.zeros_like(answer))


class PublishedSpace(KernelSpace):
    """The published F and G; photos are continued by their mirror image to multiples of 128.

    Args:
        channels: Channels of the photos.
        width: Channels of the features.
        code: Channels of a code.
        front: Residual blocks that look at photos.
        back: Residual blocks that make the blurry photo.
        blocks: Residual blocks that end the extractor.
        variational: See `KernelSpace`.
        signed: Negative numbers of a code count, too; the published operator only sees what is above 0.
    """

    def __init__(
        self,
        channels: int = 3,
        *,
        width: int = 64,
        code: int = 512,
        front: int = 10,
        back: int = 20,
        blocks: int = 4,
        variational: bool = False,
        signed: bool = False,
    ) -> None:
        super().__init__(code, variational=variational)
        self.feature_extractor = _feature_extractor(channels, width, front)
        self.kernel_extractor = _KernelExtractor(2 * width, width, code * (1 + variational), blocks)
        self.adapter = _Adapter(width, code, signed=signed)
        self.recon_trunk = _trunk(channels, width, back)

    @torch.no_grad()
    def divide_code(self, size: float) -> None:
        """See `KernelSpace.divide_code`.

        Nothing between the extractor's last halving and the operator's first layer has a bias, and rectifiers keep
        the scale.
        """
        cast("nn.Conv2d", self.kernel_extractor.model[_LAST_HALVING]).weight.data /= size
        innermost = self.adapter.model
        while innermost.submodule is not None:
            innermost = innermost.submodule
        cast("nn.ConvTranspose2d", innermost.up[1]).weight.data[-self.code :] *= size

    def _look(self, image: Image) -> Features:
        return self.feature_extractor(pad_to_multiple(image, CELL)[0])

    def _find(self, sharp: Features, blurry: Features) -> Code:
        return self.kernel_extractor(torch.cat([sharp, blurry], 1))

    def _blur(self, sharp: Image, seen: Features, code: Code) -> Image:
        padded, padding = pad_to_multiple(sharp, CELL)
        return crop_padding(padded + self.recon_trunk(self.adapter(seen, code)), padding)


class ResidualBlock(nn.Module):
    """Two convolutions beside a shortcut, small at first: Kaiming's weights times 0.1.

    Args:
        width: Channels.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1, self.conv2 = (nn.Conv2d(width, width, 3, padding=1) for _ in range(2))
        for convolution in (self.conv1, self.conv2):
            nn.init.kaiming_normal_(convolution.weight)
            convolution.weight.data *= 0.1
            nn.init.zeros_(convolution.bias)  # pyright: ignore[reportArgumentType] - there is one

    def forward(self, features: Features) -> Features:
        """Features of the same shape."""
        return features + self.conv2(self.conv1(features).relu())


def full_kernel_space(*, variational: bool = False, signed: bool = False) -> KernelSpace:
    """The published networks: 49,205,187 parameters, variational 115,265,475."""
    return PublishedSpace(variational=variational, signed=signed)


class _KernelExtractor(nn.Module):
    """From the features of both photos to a code; its empty places keep the released names."""

    def __init__(self, channels: int, width: int, code: int, blocks: int) -> None:
        super().__init__()
        widths = [min(width * 2**level, code) for level in range(_HALVINGS + 1)]
        layers = [Reflection(3), nn.Conv2d(channels, widths[0], 7, bias=False), nn.Identity(), nn.ReLU()]
        for inner, outer in pairwise(widths):
            layers += [nn.Conv2d(inner, outer, 3, 2, 1, bias=False), nn.Identity(), nn.ReLU()]
        self.model = nn.Sequential(*layers, *(_CodeBlock(widths[-1]) for _ in range(blocks)))

    def forward(self, features: Features) -> Code:
        return self.model(features)


class _CodeBlock(nn.Module):
    """Two convolutions beside a shortcut, over mirrored borders; nothing follows their sum."""

    def __init__(self, width: int) -> None:
        super().__init__()
        first, second = (nn.Conv2d(width, width, 3, bias=False) for _ in range(2))
        self.conv_block = nn.Sequential(Reflection(), first, nn.Identity(), nn.ReLU(), Reflection(), second)

    def forward(self, code: Code) -> Code:
        return code + self.conv_block(code)


class _Adapter(nn.Module):
    """Puts a code into the features of the sharp photo: a U-net with the code at its lowest place."""

    def __init__(self, width: int, code: int, *, signed: bool) -> None:
        super().__init__()
        bend = nn.LeakyReLU(0.2) if signed else nn.ReLU()
        level = _Level(8 * width, 8 * width, code, None, bend)
        for outer, inner in ((4, 8), (2, 4), (1, 2)):
            level = _Level(outer * width, inner * width, inner * width, level, nn.ReLU())
        self.model = _Level(width, width, width, level, nn.ReLU(), last=nn.Tanh())

    def forward(self, features: Features, code: Code) -> Features:
        return self.model(features, code)


class _Level(nn.Module):
    """One level of the U-net: half the size, the levels below, and back."""

    def __init__(
        self,
        outer: int,
        inner: int,
        joined: int,
        submodule: _Level | None,
        bend: nn.Module,
        *,
        last: nn.Module | None = None,
    ) -> None:
        super().__init__()
        down = nn.Conv2d(outer, inner, 4, 2, 1, bias=False)
        up = nn.ConvTranspose2d(inner + joined, outer, 4, 2, 1, bias=last is not None)
        self.down = nn.Sequential(nn.LeakyReLU(0.2), down) if last is None else nn.Sequential(down)
        self.submodule = submodule
        self.up = nn.Sequential(bend, up) if last is None else nn.Sequential(bend, up, last)

    def forward(self, features: Features, code: Code) -> Features:
        low = self.down(features)
        parts = [low, code] if self.submodule is None else [self.submodule(low, code), low]
        return self.up(torch.cat(parts, 1))


def _feature_extractor(channels: int, width: int, blocks: int) -> nn.Sequential:
    """Features of a quarter of the size."""
    return nn.Sequential(
        nn.Conv2d(channels, width, 3, padding=1), nn.LeakyReLU(0.1),
        nn.Conv2d(width, width, 3, 2, 1), nn.LeakyReLU(0.1),
        nn.Conv2d(width, width, 3, 2, 1), nn.LeakyReLU(0.1),
        *(ResidualBlock(width) for _ in range(blocks)),
    )  # fmt: skip


def _trunk(channels: int, width: int, blocks: int) -> nn.Sequential:
    """What the blur changes, in full size."""
    return nn.Sequential(
        *(ResidualBlock(width) for _ in range(blocks)),
        nn.Conv2d(width, 4 * width, 3, padding=1), nn.PixelShuffle(2), nn.LeakyReLU(0.1),
        nn.Conv2d(width, 4 * width, 3, padding=1), nn.PixelShuffle(2), nn.LeakyReLU(0.1),
        nn.Conv2d(width, width, 3, padding=1), nn.LeakyReLU(0.1),
        nn.Conv2d(width, channels, 3, padding=1),
    )  # fmt: skip


def _check_alike(sharp: Image, blurry: Image) -> None:
    if sharp.shape != blurry.shape:
        raise ShapeError(f"the photos of a pair have one shape, not {tuple(sharp.shape)} and {tuple(blurry.shape)}")
