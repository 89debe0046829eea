"""MAXIM (Tu, Talebi, Zhang, Yang, Milanfar, Bovik, Li, "MAXIM: Multi-axis MLP for image processing", CVPR 2022).

U-shaped networks one after the other, each at three sizes; every one sees features of the one before, which pays
attention to its own restored image first. Names of tensors are those of the official flax network, with `weight` for
`kernel` and `scale`.

Features are `(B, H, W, C)`, as dense layers want them; convolutions get a view.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from jaxtyping import Float
from torch import Tensor, nn
from typing_extensions import override

from unblur.backbones.maxim_blocks import (
    Conv,
    Double,
    FeatureSource,
    JoinedGating,
    ResidualConvs,
    ResidualDense,
    SupervisedAttention,
    join,
)
from unblur.backbones.multi_axis import SplitHead

__all__ = ["Maxim", "maxim_3s"]

Features = Float[Tensor, "b _ _ _"]

_SCALES = 3
_SIDES = (16, 16, 8)
"""Sides of the windows at each scale."""
_GROUPS = 2
"""Pairs of layers in a block: one that mixes pixels, one that mixes channels."""
_BOTTLENECKS = 2


class Maxim(nn.Module):
    """Images in, images of the same size out, each the sum of the input and what was found.

    Args:
        width: Channels at full size; they double with each halving.
        stages: U-shaped networks one after the other.
    """

    multiple = 64
    """Height and width must be multiples of this: windows of 8 pixels where the image was halved three times."""

    def __init__(self, width: int = 32, stages: int = 3) -> None:
        super().__init__()
        self.stages = stages
        widths = [width * 2**scale for scale in range(_SCALES)]
        for stage in range(stages):
            for scale in range(_SCALES):
                self._add_blocks(stage, scale, widths)
            for number in range(_BOTTLENECKS):
                self.add_module(f"stage_{stage}_global_block_{number}", _Bottleneck(widths[-1]))
        self.add_module(f"stage_{stages - 1}_output_conv_0", Conv(width, 3, 3))
        for number, (source, target) in enumerate(_resampled(stages)):
            self.add_module(f"UpSampleRatio_{number}", _Resampled(widths[source], widths[target]))

    def _add_blocks(self, stage: int, scale: int, widths: Sequence[int]) -> None:
        """Those of one scale."""
        width, side = widths[scale], _SIDES[scale]
        above, below = widths[max(scale - 1, 0)], widths[min(scale + 1, _SCALES - 1)]
        blocks: dict[str, nn.Module] = {
            "input_conv": Conv(3, width, 3),
            "encoder_block": _Encoder(above + width, width, side, crossed=stage > 0),
            "cross_gating_block": JoinedGating(_SCALES * width, width, side, below),
            "decoder_block": _Decoder(below, width, side),
        }
        if stage > 0:
            blocks["input_fuse_sam"] = JoinedGating(width, width, side)
        if stage < self.stages - 1:
            blocks["supervised_attention_module"] = SupervisedAttention(width)
        for name, block in blocks.items():
            self.add_module(f"stage_{stage}_{name}_{scale}", block)

    @override
    def forward(self, image: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b 3 h w"]:
        """The sharp image, not clamped; in the image's numbers, whatever those of the weights are."""
        image = image.permute(0, 2, 3, 1).contiguous()
        features = image.to(self.get_parameter("stage_0_input_conv_0.weight").dtype)
        # As nearest neighbours were taken in training: of four pixels the second, of 16 the third of the third row.
        images = [features, features[:, 1::2, 1::2], features[:, 2::4, 2::4]]
        convs = self._resampling_convs()
        encoded: list[Features] = []
        decoded: list[Features] = []
        for stage in range(self.stages):
            inputs = self._read(stage, images, decoded)
            before = [first + second for first, second in zip(encoded, decoded, strict=True)]
            encoded, decoded = [], []  # their memory is for the next
            encoded, lowest = self._encode(stage, inputs, before)
            skips = self._cross(stage, encoded, lowest, convs)
            decoded = self._decode(stage, skips, lowest, convs)
        found = self._block(self.stages - 1, "output_conv", 0)(decoded[0])
        return (image + found).permute(0, 3, 1, 2)

    def _block(self, stage: int, name: str, number: int) -> Any:
        return self.get_submodule(f"stage_{stage}_{name}_{number}")

    def _resampling_convs(self) -> Iterator[Conv]:
        for number, _ in enumerate(_resampled(self.stages)):
            module: Any = self.get_submodule(f"UpSampleRatio_{number}")
            yield module.Conv_0

    def _read(self, stage: int, images: Sequence[Features], decoded: Sequence[Features]) -> list[Features]:
        """Features of the blurry image at each scale, with what the stage before restored."""
        inputs: list[Features] = []
        for scale, image in enumerate(images):
            features = self._block(stage, "input_conv", scale)(image)
            if stage > 0:
                attended = self._block(stage - 1, "supervised_attention_module", scale)(decoded[scale], image)
                features, _ = self._block(stage, "input_fuse_sam", scale)([FeatureSource(features)], attended)
            inputs.append(features)
        return inputs

    def _encode(self, stage: int, inputs: list[Features], before: list[Features]) -> tuple[list[Features], Features]:
        """Features at each scale, and those at the smallest, once more halved; what it is given, it uses up."""
        encoded: list[Features] = []
        features = inputs[0]
        for scale in range(_SCALES):
            block = self._block(stage, "encoder_block", scale)
            sources = [FeatureSource(features), FeatureSource(inputs.pop(0))]
            encoded.append(block(sources, before.pop(0) if before else None))
            features = block.shrink(encoded[-1])
        for number in range(_BOTTLENECKS):
            features = self._block(stage, "global_block", number)(features)
        return encoded, features

    def _cross(
        self, stage: int, encoded: Sequence[Features], lowest: Features, convs: Iterator[Conv]
    ) -> list[Features]:
        """For each scale, the features of all scales, gated by those of the scales below."""
        skips: list[Features] = []
        for scale in reversed(range(_SCALES)):
            sources = [FeatureSource(features, level - scale, next(convs)) for level, features in enumerate(encoded)]
            gated, lowest = self._block(stage, "cross_gating_block", scale)(sources, lowest)
            skips.append(gated)
        return skips[::-1]

    def _decode(self, stage: int, skips: Sequence[Features], lowest: Features, convs: Iterator[Conv]) -> list[Features]:
        """Features at each scale."""
        decoded: list[Features] = []
        features = lowest
        for scale in reversed(range(_SCALES)):
            levels = reversed(range(_SCALES))
            sources = [FeatureSource(skips[level], level - scale, next(convs)) for level in levels]
            features = self._block(stage, "decoder_block", scale)(features, sources)
            decoded.append(features)
        return decoded[::-1]


def maxim_3s() -> Maxim:
    """The network that was trained for motion blur: 22,207,605 parameters."""
    return Maxim()


def _resampled(stages: int) -> Iterator[tuple[int, int]]:
    """From which scale to which, in the order of their names: first those to gate with, then those to decode."""
    for _ in range(stages):
        for order in (range(_SCALES), range(_SCALES - 1, -1, -1)):
            for target in reversed(range(_SCALES)):
                for source in order:
                    yield source, target


class _Resampled(nn.Module):
    """What convolves features of one scale for another; resampling has no weights."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.Conv_0 = Conv(channels, width)


class _Encoder(nn.Module):
    """Features of all sources mixed, and gated by those of the stage before.

    Args:
        channels: Channels of all sources together.
        width: Channels of the output.
        side: Side of the windows in pixels.
        crossed: Whether there is a stage before.
        last: Whether nothing is halved after it.
    """

    def __init__(self, channels: int, width: int, side: int, *, crossed: bool = False, last: bool = False) -> None:
        super().__init__()
        self.Conv_0 = Conv(channels, width)
        for number in range(_GROUPS):
            self.add_module(f"SplitHeadMultiAxisGmlpLayer_{number}", SplitHead(width, side))
            self.add_module(f"channel_attention_block_1{number}", ResidualConvs(width))
        if crossed:
            self.cross_gating_block = JoinedGating(width, width, side)
        if not last:
            self.Conv_1 = Conv(width, width, 4, 2)

    @override
    def forward(self, sources: Sequence[FeatureSource], before: Features | None = None) -> Features:
        joined = features = join(sources, self.Conv_0)
        for number in range(_GROUPS):
            features = self.get_submodule(f"SplitHeadMultiAxisGmlpLayer_{number}")(features)
            features = self.get_submodule(f"channel_attention_block_1{number}")(features)
        features = features.add_(joined)
        if before is None:
            return features
        return self.cross_gating_block([FeatureSource(features)], before)[0]

    def shrink(self, features: Features) -> Features:
        """Half the size."""
        return self.Conv_1(features)


class _Decoder(nn.Module):
    """Features of the scale below, doubled, and of all scales."""

    def __init__(self, below: int, width: int, side: int) -> None:
        super().__init__()
        self.ConvTranspose_0 = Double(below, width)
        self.UNetEncoderBlock_0 = _Encoder((1 + _SCALES) * width, width, side, last=True)

    @override
    def forward(self, features: Features, sources: Sequence[FeatureSource]) -> Features:
        return self.UNetEncoderBlock_0([FeatureSource(self.ConvTranspose_0(features)), *sources])


class _Bottleneck(nn.Module):
    """Like an encoder, at the smallest size, where a dense layer over channels takes the place of convolutions."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.input_proj = Conv(width, width)
        for number in range(_GROUPS):
            self.add_module(f"SplitHeadMultiAxisGmlpLayer_{number}", SplitHead(width, _SIDES[-1]))
            self.add_module(f"channel_attention_block_1_{number}", ResidualDense(width))

    @override
    def forward(self, features: Features) -> Features:
        projected = features = self.input_proj(features)
        for number in range(_GROUPS):
            features = self.get_submodule(f"SplitHeadMultiAxisGmlpLayer_{number}")(features)
            features = self.get_submodule(f"channel_attention_block_1_{number}")(features)
        return features.add_(projected)
