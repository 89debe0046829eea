"""The network of the Golf Optimizer, in two widths (Table 1 of its paper).

The names are the paper's: the first shot F is applied once to the blurry photo, the putt G again and again to what came
out, each time a small refinement.
"""

from __future__ import annotations

from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor, nn

__all__ = ["AS_STORED", "CONFIG", "BasicBlock", "Contrast", "GolfNet", "first_shot", "putt"]

CONFIG = {"skip": True, "unit_contrast": False}
"""Entries of `arch_config`, with their values in files that do not give them."""

_EDGE = 0.25
"""Root mean square difference of neighbours in an image of unit contrast."""
_LEAST = 1e-3
"""Least contrast: an image without any is not divided by nothing."""


class Contrast(NamedTuple):
    """How an image is brought to unit contrast and back.

    Attributes:
        level: Mean of each channel `(B, 3, 1, 1)`.
        size: What is 1 afterwards `(B, 1, 1, 1)`.
    """

    level: Tensor | float
    size: Tensor | float

    @classmethod
    def of(cls, image: Float[Tensor, "b 3 h w"]) -> Contrast:
        """By the mean, and by how much neighbours differ."""
        down, right = (image.diff(dim=side).square().sum((1, 2, 3), keepdim=True) for side in (2, 3))
        size = ((down + right) / image[0].numel()).sqrt() / _EDGE
        return cls(image.mean((2, 3), keepdim=True), size.clamp_min(_LEAST))

    def remove(self, image: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b 3 h w"]:
        """The image at unit contrast."""
        return image if self is AS_STORED else (image - self.level) / self.size

    def restore(self, image: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b 3 h w"]:
        """The image at its own contrast again."""
        return image if self is AS_STORED else image * self.size + self.level


AS_STORED = Contrast(0.0, 1.0)
"""Leaves images as they are, bit by bit."""


class BasicBlock(nn.Module):
    """Six layers beside a shortcut; nothing follows their sum.

    The paper's parameter counts leave three orders of the layers without bias; this one alone keeps all six on the
    branch and lets it add numbers of either sign.

    Args:
        channels_in: Channels of the input.
        channels_out: Channels of the output; the first convolution and the shortcut change the number.
    """

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        self.branch = nn.Sequential(
            _norm(channels_in), nn.ReLU(), _conv(channels_in, channels_out, 7),
            _norm(channels_out), nn.ReLU(), _conv(channels_out, channels_out, 5),
        )  # fmt: skip
        self.shortcut = (
            nn.Sequential()
            if channels_in == channels_out
            else nn.Sequential(_conv(channels_in, channels_out, 1), _norm(channels_out))
        )

    def forward(self, features: Float[Tensor, "b i h w"]) -> Float[Tensor, "b o h w"]:
        """The features of the next block."""
        return self.shortcut(features) + self.branch(features)


class GolfNet(nn.Module):
    """One of the two networks: Table 1 of the paper, 50 layers; images in, images of the same size out.

    Its convolutions see 46 pixels far, its normalisation the whole image. Borders are continued with zeros.

    Args:
        width: Channels of the features: 32 for the first shot, 16 for the putt.
        skip: Add the image itself to the answer.
        unit_contrast: Work on the image at unit contrast. The last blocks normalise all that the network knows, so as
            published it cannot tell how strong the edges of a photo are and has one size of correction for all photos;
            blur is linear, and what removes it grows with the contrast.
    """

    def __init__(self, width: int, *, skip: bool = True, unit_contrast: bool = False) -> None:
        super().__init__()
        self.width, self.skip, self.unit_contrast = width, skip, unit_contrast
        self.head = _conv(3, width, 7)
        self.layer1, self.layer2, self.layer3 = (
            nn.Sequential(BasicBlock(width, width), BasicBlock(width, width)) for _ in range(3)
        )
        self.layer4 = nn.Sequential(BasicBlock(width, 3), BasicBlock(3, 3))
        self.tail = _conv(3, 3, 7)
        self._start_as_identity()

    def forward(self, image: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b 3 h w"]:
        """The image, one step sharper; not clamped. At least 2 pixels."""
        contrast = self.contrast_of(image)
        scaled = contrast.remove(image)
        features = self.head(scaled)
        for stage in self.stages:
            for block in stage:
                features = block(features)
        answer = self.tail(features)
        return contrast.restore(scaled + answer if self.skip else answer)

    def contrast_of(self, image: Float[Tensor, "b 3 h w"]) -> Contrast:
        """What is taken from an image before the first layer and given back after the last."""
        return Contrast.of(image) if self.unit_contrast else AS_STORED

    @property
    def stages(self) -> tuple[tuple[BasicBlock, ...], ...]:
        """The blocks between head and tail."""
        layers = (self.layer1, self.layer2, self.layer3, self.layer4)
        return tuple(tuple(block for block in layer if isinstance(block, BasicBlock)) for layer in layers)

    def _start_as_identity(self) -> None:
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        if self.skip:
            nn.init.zeros_(self.tail.weight)


def first_shot(*, skip: bool = True, unit_contrast: bool = False) -> GolfNet:
    """F, 466,348 parameters, the identity to begin with."""
    return GolfNet(32, skip=skip, unit_contrast=unit_contrast)


def putt(*, unit_contrast: bool = False) -> GolfNet:
    """G, 120,188 parameters, the identity to begin with."""
    return GolfNet(16, unit_contrast=unit_contrast)


def _conv(channels_in: int, channels_out: int, size: int) -> nn.Conv2d:
    return nn.Conv2d(channels_in, channels_out, size, padding=size // 2, bias=False)


def _norm(channels: int) -> nn.InstanceNorm2d:
    return nn.InstanceNorm2d(channels, affine=True)
