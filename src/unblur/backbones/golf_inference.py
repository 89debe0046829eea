"""The networks of `golf.py` made quick for use: the same numbers, up to rounding, from prepared weights.

Convolutions run in `channels_last` order, rectifiers and sums in place, and where the processor can, in bfloat16 with
the sum of the blocks in float32. Normalisation is that of a batch of one photo, whose statistics can be kept: a photo
too large for one piece is computed in tiles that share statistics measured before on a sample of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from unblur.backbones.golf import BasicBlock, GolfNet
from unblur.images.tiling import run_tiled

__all__ = ["RADIUS", "PreparedNet", "Statistics"]

RADIUS = 46
"""How far the convolutions of a network see, in pixels."""

_SAMPLE_SIDE = 224
_SAMPLES = 5
"""Along each side of a photo: 25 crops of it are looked at before its tiles."""

Statistics = tuple[tuple[Tensor, Tensor], ...]
"""Mean and 1 / standard deviation of each channel, for one normalisation after the other."""


@dataclass(frozen=True)
class _Norm:
    scale: Tensor
    shift: Tensor
    epsilon: float


@dataclass(frozen=True)
class _Block:
    norms: tuple[_Norm, _Norm]
    kernels: tuple[Tensor, Tensor]
    shortcut: tuple[Tensor, _Norm] | None


_Normalise = Callable[[Tensor, _Norm], Tensor]


class PreparedNet:
    """One network, ready for photos on one device.

    Args:
        network: Its weights are copied.
        device: Where photos will be.
        precision: Type of number of the convolutions; everything else is float32, or float64 if this is.
    """

    def __init__(self, network: GolfNet, device: torch.device, precision: torch.dtype) -> None:
        self._skip, self._contrast_of = network.skip, network.contrast_of
        self._precision = precision
        self._sums = torch.float64 if precision == torch.float64 else torch.float32
        prepare = network.to(device)
        self._head, self._tail = self._kernel(prepare.head), self._kernel(prepare.tail)
        self._blocks = [self._block(block) for stage in prepare.stages for block in stage]

    @torch.no_grad()
    def whole(self, image: Float[Tensor, "1 3 h w"]) -> Float[Tensor, "1 3 h w"]:
        """The network's answer, normalised over the whole image."""
        contrast = self._contrast_of(image)
        return contrast.restore(self._run(contrast.remove(image), _normalise_itself, padded=True))

    @torch.no_grad()
    def in_tiles(
        self, image: Float[Tensor, "1 3 h w"], tile: int, on_tile: Callable[[int, int], None]
    ) -> Float[Tensor, "1 3 h w"]:
        """The network's answer tile by tile, normalised by statistics of a sample of the image; no seams."""
        contrast = self._contrast_of(image)
        scaled = contrast.remove(image)
        statistics = self.survey(scaled)
        return contrast.restore(run_tiled(scaled, lambda part: self.given(part, statistics), tile, RADIUS, on_tile))

    @torch.no_grad()
    def given(self, image: Float[Tensor, "1 3 h w"], statistics: Statistics) -> Float[Tensor, "1 3 h w"]:
        """The answer to an image at the network's contrast, normalised by given statistics."""
        remaining = iter(statistics)
        return self._run(image, lambda values, norm: _normalise_by(values, norm, next(remaining)), padded=True)

    @torch.no_grad()
    def survey(self, image: Float[Tensor, "1 3 h w"]) -> Statistics:
        """Statistics pooled over crops that lie evenly over an image at the network's contrast, borders left out."""
        seen: list[tuple[Tensor, Tensor]] = []

        def normalise(values: Tensor, norm: _Norm) -> Tensor:
            normalised, mean, inverse_deviation = _normalise(values, norm)
            seen.append((mean, inverse_deviation))
            return normalised

        self._run(_sample(image), normalise, padded=False)
        return tuple(seen)

    def _run(self, image: Tensor, normalise: _Normalise, *, padded: bool) -> Tensor:
        features = self._convolve(image, self._head, padded=padded).to(self._sums)
        for block in self._blocks:
            features = self._add_block(features, block, normalise, padded=padded)
        answer = self._convolve(features, self._tail, padded=padded).to(image.dtype)
        if not self._skip or not padded:
            return answer
        return answer.add_(image)

    def _add_block(self, features: Tensor, block: _Block, normalise: _Normalise, *, padded: bool) -> Tensor:
        branch = features
        for norm, kernel in zip(block.norms, block.kernels, strict=True):
            branch = self._convolve(normalise(branch, norm).relu_(), kernel, padded=padded)
        if not padded:
            lost = (features.shape[-1] - branch.shape[-1]) // 2
            features = features[..., lost:-lost, lost:-lost]
        if block.shortcut is not None:
            kernel, norm = block.shortcut
            features = normalise(self._convolve(features, kernel, padded=padded).to(self._sums), norm)
        return features.add_(branch)

    def _convolve(self, image: Tensor, kernel: Tensor, *, padded: bool) -> Tensor:
        margin = kernel.shape[-1] // 2 if padded else 0
        return functional.conv2d(image.to(self._precision, memory_format=torch.channels_last), kernel, padding=margin)

    def _block(self, block: BasicBlock) -> _Block:
        first_norm, _, first, second_norm, _, second = block.branch
        shortcut = None
        if len(block.shortcut):
            convolution, norm = block.shortcut
            shortcut = self._kernel(convolution), self._norm(norm)
        return _Block(
            (self._norm(first_norm), self._norm(second_norm)), (self._kernel(first), self._kernel(second)), shortcut
        )

    def _kernel(self, convolution: nn.Module) -> Tensor:
        weight = convolution.get_parameter("weight").detach()
        return weight.to(self._precision, memory_format=torch.channels_last, copy=True)

    def _norm(self, norm: nn.Module) -> _Norm:
        scale, shift = (norm.get_parameter(name).detach().to(self._sums, copy=True) for name in ("weight", "bias"))
        return _Norm(scale, shift, getattr(norm, "eps", 0.0))


def _normalise(values: Tensor, norm: _Norm) -> tuple[Tensor, Tensor, Tensor]:
    """Over a batch: of one photo, instance normalisation."""
    return torch.native_batch_norm(values, norm.scale, norm.shift, None, None, True, 0.0, norm.epsilon)


def _normalise_itself(values: Tensor, norm: _Norm) -> Tensor:
    return _normalise(values, norm)[0]


def _normalise_by(values: Tensor, norm: _Norm, statistics: tuple[Tensor, Tensor]) -> Tensor:
    mean, inverse_deviation = statistics
    variance = inverse_deviation.square().reciprocal() - norm.epsilon
    return functional.batch_norm(values, mean, variance, norm.scale, norm.shift, False, 0.0, norm.epsilon)


def _sample(image: Tensor) -> Tensor:
    """Crops `(n, 3, s, s)` evenly over the image."""
    side = min(_SAMPLE_SIDE, *image.shape[-2:])
    rows, columns = (
        [round(place * (length - side) / max(_SAMPLES - 1, 1)) for place in range(_SAMPLES)]
        for length in image.shape[-2:]
    )
    crops = [image[..., row : row + side, column : column + side] for row in rows for column in columns]
    return torch.cat(crops)
