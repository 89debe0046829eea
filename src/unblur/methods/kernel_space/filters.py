"""Reduced networks of the kernel space: a code stands for a filter in full size, cell by cell.

Published, a code passes an eighth of the photo's size, and the features that it changes have a quarter of that size.
With a few channels such an operator has room for little more than the mean of all blurs. Here F decodes each cell to a
filter, and G encodes quotients of the spectra of both photos, in which the blur is laid bare: what networks of a few
hundred thousand weights would have to find of Fourier's transform is there from the start. In between, as published,
is a code that has learned blurs from pairs.
"""

from __future__ import annotations

import math
from typing import cast

import torch
import torch.nn.functional as F  # noqa: N812 - the name that everyone gives it
from jaxtyping import Complex, Float
from torch import Tensor, nn

from unblur.blur.borders import Padding, pad_reflect
from unblur.blur.convolve import convolve
from unblur.blur.fft import from_spectrum, multiply_conjugate, power, spectrum
from unblur.images.tensors import brightness, linear_to_srgb, srgb_to_linear
from unblur.methods.kernel_space.model import CELL, Code, Image, KernelSpace

__all__ = ["FilterSpace", "reduced_kernel_space"]

_AROUND = 32
"""Pixels around a cell that also tell of its blur, the less the farther out."""
_FRAME = CELL + 2 * _AROUND
_BORDER = 8
"""Pixels along the border of a photo that tell less, because what was blurred into them is not in the sharp photo."""
_NEIGHBOUR = 0.5
"""What cells beside a cell count in its quotients: blur is much the same there, and the cell may have no edges."""
_REGULARISATIONS = (1e-3, 1e-2, 1e-1)
"""Added to the denominators, as shares of their means: none suits all photos, and the extractor sees all."""
_USUAL_QUOTIENT = 0.02
"""Root mean square of quotients; those of common blurs have about this size."""
_OVERLAP = 24
"""Pixels by which the filter of a cell reaches into the next, where both are blended."""
_WIDEST = 4.0
"""Radius in pixels of the filter at first, so that training begins with a blur of middle size."""

Gradients = Float[Tensor, "b 2 h w"]
Spectra = Complex[Tensor, "b 2 gh gw fh fw"]


class FilterSpace(KernelSpace):
    """F and G in full size: a code is a filter of each cell, in linear light.

    Args:
        side: Side of the filters in pixels, odd: the largest blur.
        code: Channels of a code.
        hidden: Channels between quotients and code, and between code and filter.
        variational: See `KernelSpace`.
        signed: Negative numbers of a code count, too.
    """

    in_linear_light = True

    def __init__(
        self, *, side: int = 25, code: int = 64, hidden: int = 256, variational: bool = False, signed: bool = False
    ) -> None:
        super().__init__(code, variational=variational)
        self.side = side
        self.kernel_extractor = nn.Sequential(
            nn.Conv2d(len(_REGULARISATIONS) * side**2, hidden, 1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(hidden, code * (1 + variational), 1, bias=False),
        )
        self.filter_decoder = nn.Sequential(
            nn.Identity() if signed else nn.ReLU(),
            nn.Conv2d(code, hidden, 1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(hidden, side**2, 1),
            nn.Softplus(),
        )
        cast("nn.Conv2d", self.filter_decoder[3]).bias = nn.Parameter(_hill(side).flatten())

    @torch.no_grad()
    def divide_code(self, size: float) -> None:
        """See `KernelSpace.divide_code`."""
        cast("nn.Conv2d", self.kernel_extractor[2]).weight.data /= size
        cast("nn.Conv2d", self.filter_decoder[1]).weight.data *= size

    def filters(self, code: Code) -> Float[Tensor, "b gh gw s s"]:
        """The filter of each cell: not negative, with a sum of 1."""
        with _float32(code):
            values = self.filter_decoder(code.float())
        values = values / values.sum(1, keepdim=True)
        return values.unflatten(1, (self.side, self.side)).permute(0, 3, 4, 1, 2)

    def _look(self, image: Image) -> Image:
        return srgb_to_linear(image.float())

    def _find(self, sharp: Image, blurry: Image) -> Code:
        with _float32(sharp):
            quotients = _quotients(_gradients(sharp), _gradients(blurry), self.side)
            return self.kernel_extractor(quotients / _USUAL_QUOTIENT)

    def _blur(self, sharp: Image, seen: Image, code: Code) -> Image:
        with _float32(sharp):
            return linear_to_srgb(_filter_cells(seen, self.filters(code))).to(sharp)


def reduced_kernel_space(*, variational: bool = False, signed: bool = False) -> FilterSpace:
    """A filter for each cell, an eighth of the published code: 673,905 parameters, for a processor."""
    return FilterSpace(variational=variational, signed=signed)


def _float32(like: Tensor) -> torch.autocast:
    """No half precision: spectra and filters have too few digits in it."""
    return torch.autocast(like.device.type, enabled=False)


def _hill(side: int) -> Float[Tensor, "s s"]:
    """What makes a round filter under a rectifier."""
    places = torch.arange(side) - side // 2
    return (_WIDEST - (places[:, None] ** 2 + places**2) / _WIDEST).clamp(min=-_WIDEST)


def _taper(length: int, margin: int, like: Tensor) -> Float[Tensor, " n"]:
    """1 inside, and half a wave of the cosine to both ends."""
    places = torch.arange(length, dtype=like.dtype, device=like.device) + 0.5
    return (1 - (math.pi * (torch.minimum(places, length - places) / margin).clamp(max=1)).cos()) / 2


def _gradients(image: Image) -> Gradients:
    """Differences to the right and down of the brightness, fading towards the border."""
    grey = brightness(image)
    right = F.pad(grey.diff(dim=-1), (0, 1))
    down = F.pad(grey.diff(dim=-2), (0, 0, 0, 1))
    rows, columns = (_taper(side, _BORDER, image) for side in image.shape[-2:])
    return torch.cat([right, down], 1) * rows[:, None] * columns


def _quotients(sharp: Gradients, blurry: Gradients, side: int) -> Float[Tensor, "b q gh gw"]:
    """The blur of each cell by least squares, under each regularisation: side x side numbers, row by row."""
    of_sharp, of_blurry = _spectra_of_cells(sharp), _spectra_of_cells(blurry)
    products = multiply_conjugate(of_sharp, of_blurry).sum(1)
    products = torch.complex(_with_neighbours(products.real), _with_neighbours(products.imag))
    powers = _with_neighbours(power(of_sharp).sum(1))
    least = powers.mean((-2, -1), keepdim=True)
    reach = side // 2
    kernels = [
        from_spectrum(products / (powers + share * least + torch.finfo(powers.dtype).tiny), (_FRAME, _FRAME))
        .roll((reach, reach), (-2, -1))[..., :side, :side]
        .flatten(-2)
        for share in _REGULARISATIONS
    ]
    return torch.cat(kernels, -1).permute(0, 3, 1, 2)


def _spectra_of_cells(image: Gradients) -> Spectra:
    height, width = image.shape[-2:]
    beyond = Padding(_AROUND, -width % CELL + _AROUND, _AROUND, -height % CELL + _AROUND)
    frames = F.pad(image, beyond).unfold(2, _FRAME, CELL).unfold(3, _FRAME, CELL)
    fade = _taper(_FRAME, _AROUND, image)
    return spectrum(frames * fade[:, None] * fade)


def _with_neighbours(values: Float[Tensor, "b gh gw fh fw"]) -> Float[Tensor, "b gh gw fh fw"]:
    rows, columns = (_band(side, values) for side in values.shape[1:3])
    return torch.einsum("ij,kl,bjlyx->bikyx", rows, columns, values)


def _band(side: int, like: Tensor) -> Float[Tensor, "n n"]:
    """1 for a cell itself, and less for those beside it."""
    places = torch.arange(side, device=like.device)
    distance = (places[:, None] - places).abs()
    return (distance == 0).to(like) + _NEIGHBOUR * (distance == 1).to(like)


def _filter_cells(image: Image, filters: Float[Tensor, "b gh gw s s"]) -> Image:
    """Each cell under its filter, blended with the next; the image is continued by its mirror image."""
    batch, rows, columns, side, _ = filters.shape
    height, width = image.shape[2:]
    reach = side // 2 + _OVERLAP
    wide = pad_reflect(image, Padding(reach, -width % CELL + reach, reach, -height % CELL + reach))
    parts = wide.unfold(2, CELL + 2 * reach, CELL).unfold(3, CELL + 2 * reach, CELL).permute(0, 2, 3, 1, 4, 5)
    blurred = convolve(parts.flatten(0, 2), filters.flatten(0, 2)[:, None], "valid")
    blurred = blurred.unflatten(0, (batch, rows * columns)).permute(0, 2, 3, 4, 1)
    fade = _taper(CELL + 2 * _OVERLAP, 2 * _OVERLAP, image)
    weights = (fade[:, None] * fade)[None, None, :, :, None].expand(1, 1, -1, -1, rows * columns)
    whole = CELL * rows + 2 * _OVERLAP, CELL * columns + 2 * _OVERLAP
    total, weight = (
        F.fold(values.flatten(1, 3), whole, fade.numel(), stride=CELL) for values in (blurred * weights, weights)
    )
    return (total / weight)[..., _OVERLAP : _OVERLAP + height, _OVERLAP : _OVERLAP + width]
