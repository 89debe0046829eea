"""Layers that mix pixels far from each other: dense layers over windows of an image, along two axes of it.

A block is a window of neighbours; a grid is a window of as many pixels that lie all over the image, equally far apart.
All layers but the dense ones over windows treat each pixel by itself, so an image is taken apart into windows once, a
few at a time, and everything that happens to them happens while they are in the processor's cache.

Tu, Talebi, Zhang, Yang, Milanfar, Bovik, Li, "MAXIM: Multi-axis MLP for image processing", CVPR 2022, sections 3.2 and
3.3. Names of layers are those of the official flax network. Features are `(B, H, W, C)`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache, partial

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["ChannelNorm", "CrossGating", "SplitHead", "dense", "dense_gelu", "dense_plus", "gelu", "pixelwise"]

Features = Float[Tensor, "b _ _ _"]
Windows = Float[Tensor, "p n c"]

_EPSILON = 1e-6
_AT_A_TIME = 2**19
"""Numbers of one tensor that are worked on at a time: 2 MB of them stay in a processor's cache."""
_GELU_LINEAR = 2 * (2 / torch.pi) ** 0.5
_GELU_CUBIC = 0.044715 * _GELU_LINEAR
_GELU_AT_A_TIME = 2**16
_PARTWISE = (torch.float32, torch.bfloat16)
_BATCH = 16
"""From so many images on, PyTorch leaves convolutions of 1x1 on one thread to oneDNN."""


class ChannelNorm(nn.LayerNorm):
    """Normalises the channels of each pixel (biased variance).

    Args:
        width: Channels.
    """

    def __init__(self, width: int) -> None:
        super().__init__(width, eps=_EPSILON)


class _TwoAxes(nn.Module):
    """Projects the features; one half of that is mixed over grids, the other within blocks, and all projected back."""

    def __init__(self, width: int, side: int) -> None:
        super().__init__()
        self.LayerNorm_in = ChannelNorm(width)
        self.in_project = nn.Linear(width, 2 * width)
        self.out_project = nn.Linear(2 * width, width)
        self.side = side

    def _add_mixed(self, answer: Features, features: Features, *mixers: Callable[[Windows], Windows]) -> Features:
        """The answer with what the mixers for grids and for blocks make of the features, but for the last bias."""
        normal = self.LayerNorm_in(features)
        halves = zip(*(tensor.chunk(2) for tensor in (self.in_project.weight, self.in_project.bias)), strict=True)
        backs = self.out_project.weight.chunk(2, 1)
        for (weight, bias), back, mixer, windows_of in zip(halves, backs, mixers, (_grids, _blocks), strict=True):
            for source, target in _parts(windows_of(normal, self.side), windows_of(answer, self.side)):
                windows = source.reshape(self.side**2, -1, source.shape[-1])
                windows = mixer(pixelwise_gelu(windows, weight, bias))
                target.add_(pixelwise(windows, back).view(target.shape))
        return answer


class SplitHead(_TwoAxes):
    """Both halves go through perceptrons that are gated over windows (Fig. 3).

    Args:
        width: Channels.
        side: Side of the windows: a block has so many rows and columns, and so has a grid.
    """

    def __init__(self, width: int, side: int) -> None:
        super().__init__(width, side)
        self.GridGmlpLayer = _GatedPerceptron(width, side, "GridGatingUnit")
        self.BlockGmlpLayer = _GatedPerceptron(width, side, "BlockGatingUnit")

    def forward(self, features: Features) -> Features:
        """The features with what was found added; height and width are multiples of the windows' side."""
        return self._add_mixed(features + self.out_project.bias, features, self.GridGmlpLayer, self.BlockGmlpLayer)


class _WindowGate(_TwoAxes):
    """A factor for each number of the features, from the windows that it is in."""

    def __init__(self, width: int, side: int) -> None:
        super().__init__(width, side)
        self.Dense_0, self.Dense_1 = (nn.Linear(side**2, side**2) for _ in range(2))

    def forward(self, features: Features) -> Features:
        answer = self.out_project.bias.expand_as(features).contiguous()
        mixers = (partial(_mix_pixels, layer=layer) for layer in (self.Dense_0, self.Dense_1))
        return self._add_mixed(answer, features, *mixers)


class CrossGating(nn.Module):
    """Two signals, each gated by windows of the other (Fig. 4).

    Args:
        width: Channels of both.
        side: Side of the windows in pixels.
    """

    def __init__(self, width: int, side: int) -> None:
        super().__init__()
        self.LayerNorm_x, self.LayerNorm_y = (ChannelNorm(width) for _ in range(2))
        self.in_project_x, self.in_project_y = (nn.Linear(width, width) for _ in range(2))
        self.SplitHeadMultiAxisGating_x, self.SplitHeadMultiAxisGating_y = (_WindowGate(width, side) for _ in range(2))
        self.out_project_x, self.out_project_y = (nn.Linear(width, width) for _ in range(2))

    def cross(self, first: Features, second: Features) -> tuple[Features, Features]:
        """Both with what was found; the second is added to the first."""
        x = dense_gelu(self.LayerNorm_x(first), self.in_project_x)
        y = dense_gelu(self.LayerNorm_y(second), self.in_project_y)
        # Sums and products in place cost no memory: nothing else needs what the layers return.
        found = self.SplitHeadMultiAxisGating_x(x).mul_(y)
        x = self.SplitHeadMultiAxisGating_y(y).mul_(x)
        y = dense_plus(found, self.out_project_y, second)
        return dense_plus(x, self.out_project_x, first).add_(y), y


class _GatedPerceptron(nn.Module):
    """Half of the channels, mixed over the pixels of each window, gate the other half; what is found is added."""

    def __init__(self, width: int, side: int, unit: str) -> None:
        super().__init__()
        self.LayerNorm = ChannelNorm(width)
        self.in_project = nn.Linear(width, 2 * width)
        self.add_module(unit, _GatingUnit(width, side))
        self.out_project = nn.Linear(width, width)
        self.unit = unit

    def forward(self, windows: Windows) -> Windows:
        normal = self.LayerNorm(windows)
        halves = zip(self.in_project.weight.chunk(2), self.in_project.bias.chunk(2), strict=True)
        kept, gate = (pixelwise_gelu(normal, weight, bias) for weight, bias in halves)
        return dense_plus(self.get_submodule(self.unit)(gate).mul_(kept), self.out_project, windows)


class _GatingUnit(nn.Module):
    """One and a sum over the pixels of the window, with weights for each pixel of it."""

    def __init__(self, width: int, side: int) -> None:
        super().__init__()
        self.intermediate_layernorm = ChannelNorm(width)
        self.Dense_0 = nn.Linear(side**2, side**2)

    def forward(self, windows: Windows) -> Windows:
        return _mix_pixels(self.intermediate_layernorm(windows), self.Dense_0, more=1.0)


def dense(features: Tensor, layer: nn.Linear) -> Tensor:
    """What the layer makes of the last axis; see `pixelwise`."""
    return pixelwise(features, layer.weight, layer.bias)


def dense_plus(features: Tensor, layer: nn.Linear, other: Tensor) -> Tensor:
    """What the layer makes of the last axis, added to the other."""
    if _is_fused(features, layer.weight, other):
        return torch.ops.mkldnn._linear_pointwise.binary(features, other, layer.weight, layer.bias, "add")
    return dense(features, layer).add_(other)


def dense_gelu(features: Tensor, layer: nn.Linear) -> Tensor:
    """GELU of what the layer makes of the last axis; see `pixelwise_gelu`."""
    return pixelwise_gelu(features, layer.weight, layer.bias)


def pixelwise_gelu(features: Tensor, weight: Float[Tensor, "c2 c"], bias: Float[Tensor, " c2"]) -> Tensor:
    """GELU of a dense layer over the last of any number of axes."""
    if _is_fused(features, weight):
        return torch.ops.mkldnn._linear_pointwise(features, weight.contiguous(), bias, "gelu", [], "tanh")
    return gelu(pixelwise(features, weight, bias))


def pixelwise(features: Tensor, weight: Float[Tensor, "c2 c"], bias: Float[Tensor, " c2"] | None = None) -> Tensor:
    """A dense layer over the last of any number of axes; as a convolution, where oneDNN is quicker than MKL."""
    if _is_fused(features, weight):
        return torch.ops.mkldnn._linear_pointwise(features, weight.contiguous(), bias, "none", [], "")
    rows = features.numel() // features.shape[-1]
    batch = _BATCH if rows % _BATCH == 0 else 1
    images = features.reshape(batch, rows // batch, 1, features.shape[-1]).permute(0, 3, 1, 2)
    answer = functional.conv2d(images, weight[:, :, None, None], bias)
    return answer.permute(0, 2, 3, 1).reshape(*features.shape[:-1], len(weight))


def _is_fused(features: Tensor, weight: Tensor, *others: Tensor) -> bool:
    """Whether oneDNN's dense layers, with what follows in the same pass, are to be had; they have no gradients.

    Their weights must have no gaps in memory, or they take a hundred times as long.
    """
    tensors = (features, weight, *others)
    learns = torch.is_grad_enabled() and any(tensor.requires_grad for tensor in tensors)
    alike = all(tensor.dtype == features.dtype and tensor.device.type == "cpu" for tensor in tensors)
    return _has_fused_layers() and features.dtype in _PARTWISE and alike and not learns


@cache
def _has_fused_layers() -> bool:
    """They are quicker with AVX-512 only. PyTorch's compiler calls them by these names, which are not public."""
    return torch.backends.cpu.get_cpu_capability().startswith("AVX512") and hasattr(
        torch.ops.mkldnn, "_linear_pointwise"
    )


def gelu(features: Tensor) -> Tensor:
    """The tanh form; it may write over what it is given.

    As `x sigmoid(1.6 x + 0.07 x^3)`, a part at a time, it takes half the time of a processor's tanh; in bfloat16, by
    way of float32, two thirds.
    """
    if features.requires_grad or features.dtype not in _PARTWISE or features.device.type != "cpu":
        return functional.gelu(features, approximate="tanh")
    linear = features.new_tensor(_GELU_LINEAR, dtype=torch.float32)
    for part in features.view(-1).split(_GELU_AT_A_TIME):
        values = part.float()
        values.mul_(torch.addcmul(linear, values, values, value=_GELU_CUBIC).mul_(values).sigmoid_())
        if values is not part:
            part.copy_(values)
    return features


def _mix_pixels(windows: Windows, layer: nn.Linear, *, more: float = 0.0) -> Windows:
    """A dense layer over the pixels of each window, with more bias."""
    return torch.addmm((layer.bias + more)[:, None], layer.weight, windows.flatten(1)).view(windows.shape)


def _blocks(features: Features, side: int) -> Tensor:
    """The features as windows of neighbours, `(side, side, b, rows, columns, c)`, a view."""
    count, height, width, channels = features.shape
    apart = features.view(count, height // side, side, width // side, side, channels)
    return apart.permute(2, 4, 0, 1, 3, 5)


def _grids(features: Features, side: int) -> Tensor:
    """The features as windows over the whole image, `(side, side, b, rows, columns, c)`, a view."""
    count, height, width, channels = features.shape
    apart = features.view(count, side, height // side, side, width // side, channels)
    return apart.permute(1, 3, 0, 2, 4, 5)


def _parts(*windows: Tensor) -> Iterator[tuple[Tensor, ...]]:
    """A few rows of windows at a time, the same of each."""
    rows = windows[0].shape[3]
    step = max(1, _AT_A_TIME * rows // windows[0].numel())
    for start in range(0, rows, step):
        yield tuple(one[:, :, :, start : start + step] for one in windows)
