"""Deep multi-patch hierarchical network (Zhang, Dai, Li, Koniusz, CVPR 2019), of three or four levels.

Every level looks at patches half as large as the level above it. What it finds in them is joined and goes up: as
features, which are added, and as a decoded image, which is added to what the level above looks at. Names of tensors are
those of the released files, with the name of the file in front: `encoder_lv1.layer1.weight`.
"""

from __future__ import annotations

import itertools
import math
from collections import OrderedDict

import torch
from jaxtyping import Float
from torch import Tensor, nn

__all__ = ["CENTRE", "Dmphn", "dmphn_1_2_4", "dmphn_1_2_4_8"]

CENTRE = 0.5
"""Middle of the values that the released networks work on: subtract it before, add it after."""

_ROWS, _COLUMNS = 2, 3
_COLOURS = 3


class Dmphn(nn.Module):
    """Images in, images of the same size out, without a sum of the two; borders of patches are continued with zeros.

    The released networks work on values in [-0.5, 0.5], see `CENTRE`.

    Args:
        levels: How many; each has patches half as large as those of the one before, split in turns across and along.
    """

    def __init__(self, levels: int) -> None:
        super().__init__()
        self.levels = levels
        for level in range(1, levels + 1):
            self.add_module(f"encoder_lv{level}", _encoder())
            self.add_module(f"decoder_lv{level}", _decoder())
        self.apply(_start)

    @property
    def multiples(self) -> tuple[int, int]:
        """Height and width must be multiples of these: every patch is halved twice."""
        return 4 * 2 ** (self.levels // 2), 4 * 2 ** ((self.levels - 1) // 2)

    def forward(self, image: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b 3 h w"]:
        """The sharp image; not clamped. Only one level's features of full size are kept at a time."""
        return self._decode(self._look_at(image, 1, _ROWS), 1)

    @torch.no_grad()
    def begin_as_identity(self) -> None:
        """Make the answer the image itself, exactly; a training from random weights spends its first steps on that.

        No sum of image and answer could be left at zero here, but a photo that is halved twice still fits into the
        features: the first level lays its pixels side by side and puts them back. Residuals and the levels below begin
        at zero, and everything else stays random, so that all of it learns.
        """
        for module in self.modules():
            if isinstance(module, _Residual):
                nn.init.zeros_(_weight(module, "2"))
        for level in range(1, self.levels + 1):
            nn.init.zeros_(_weight(self, f"decoder_lv{level}.layer24"))
            if level > 1:  # its features are added to those that hold the pixels
                _weight(self, f"encoder_lv{level}.layer9")[: 16 * _COLOURS] = 0
        _pass_pixels(self)

    def _look_at(self, patch: Tensor, level: int, axis: int) -> Tensor:
        """Features of a patch `(b, 128, h / 4, w / 4)`, with those of the levels below."""
        if level == self.levels:
            return self._encode(patch, level)
        across = _COLUMNS if axis == _ROWS else _ROWS
        half = patch.shape[axis] // 2  # narrow and not chunk, whose number of parts ONNX does not know
        halves = (patch.narrow(axis, start, half) for start in (0, half))
        below = torch.cat([self._look_at(part, level + 1, across) for part in halves], axis)
        # The sum in place costs no memory; nothing else holds what the encoder returned.
        return self._encode(patch + self._decode(below, level + 1), level).add_(below)

    def _encode(self, patch: Tensor, level: int) -> Tensor:
        return self.get_submodule(f"encoder_lv{level}")(patch)

    def _decode(self, features: Tensor, level: int) -> Tensor:
        return self.get_submodule(f"decoder_lv{level}")(features)


def dmphn_1_2_4() -> Dmphn:
    """Three levels: the photo, halves, quarters. 5,424,393 parameters."""
    return Dmphn(3)


def dmphn_1_2_4_8() -> Dmphn:
    """Four levels, down to eighths. 7,232,524 parameters."""
    return Dmphn(4)


class _Residual(nn.Sequential):
    """Adds two convolutions to what goes in; the sum is made in place of what they return, which nothing else needs."""

    def __init__(self, width: int) -> None:
        super().__init__(_conv(width, width), nn.ReLU(inplace=True), _conv(width, width))

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - as nn.Sequential calls it
        return super().forward(input).add_(input)


def _encoder() -> nn.Sequential:
    """868,288 parameters."""
    return nn.Sequential(
        OrderedDict(
            layer1=_conv(3, 32), layer2=_Residual(32), layer3=_Residual(32),
            layer5=_conv(32, 64, stride=2), layer6=_Residual(64), layer7=_Residual(64),
            layer9=_conv(64, 128, stride=2), layer10=_Residual(128), layer11=_Residual(128),
        )
    )  # fmt: skip


def _decoder() -> nn.Sequential:
    """939,843 parameters."""
    return nn.Sequential(
        OrderedDict(
            layer13=_Residual(128), layer14=_Residual(128), layer16=_enlarge(128, 64),
            layer17=_Residual(64), layer18=_Residual(64), layer20=_enlarge(64, 32),
            layer21=_Residual(32), layer22=_Residual(32), layer24=_conv(32, 3),
        )
    )  # fmt: skip


def _conv(channels_in: int, channels_out: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(channels_in, channels_out, 3, stride, padding=1)


def _enlarge(channels_in: int, channels_out: int) -> nn.ConvTranspose2d:
    return nn.ConvTranspose2d(channels_in, channels_out, 4, stride=2, padding=1)


def _start(module: nn.Module) -> None:
    """As the released training begins: half of what He et al. (2015) take, so that the residuals begin small."""
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        incoming = math.prod(module.kernel_size) * module.out_channels
        nn.init.normal_(module.weight, std=0.5 * math.sqrt(2 / incoming))
        if module.bias is not None:
            nn.init.zeros_(module.bias)


def _pass_pixels(network: Dmphn) -> None:
    """The first level as a copy: colours at `layer1`, 4 pixels side by side at `layer5`, 16 at `layer9`, and back."""
    first, last = _weight(network, "encoder_lv1.layer1"), _weight(network, "decoder_lv1.layer24")
    first[:_COLOURS] = 0
    for colour in range(_COLOURS):
        first[colour, colour, 1, 1] = last[colour, colour, 1, 1] = 1
    for halve, enlarge, channels in (("layer5", "layer20", _COLOURS), ("layer9", "layer16", 4 * _COLOURS)):
        halving, enlarging = _weight(network, f"encoder_lv1.{halve}"), _weight(network, f"decoder_lv1.{enlarge}")
        halving[: 4 * channels] = 0
        enlarging[:, :channels] = 0
        for place, channel in itertools.product(range(4), range(channels)):
            row, column = divmod(place, 2)
            # A transposed convolution has its weights the other way round, so both lines read alike.
            halving[place * channels + channel, channel, 1 + row, 1 + column] = 1
            enlarging[place * channels + channel, channel, 1 + row, 1 + column] = 1


def _weight(module: nn.Module, layer: str) -> Tensor:
    return module.get_parameter(f"{layer}.weight")
