"""DUBLID in the form in which it leaves PyTorch: real arithmetic and matrix products, for photos of any size.

ONNX knows no complex numbers, and its operator DFT, in ONNX Runtime 1.32, takes twenty times as long as these products.
A spectrum is a pair of real tensors. Its rows are in the order in which two products make them, which no step minds:
whatever is done to spectra is done to each number by itself.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from unblur.errors import UsageError
from unblur.images.tensors import BT709, brightness
from unblur.methods.dublid.model import Dublid, move, offset_of_mass
from unblur.solvers.proximal import soft_threshold
from unblur.weights.onnx_file import Portable

__all__ = ["PortableDublid", "make_portable"]


def make_portable(networks: Mapping[str, Dublid], smallest: int) -> Portable:
    """Networks in one file, which gives the image and the kernel of each, in the order of the names.

    Args:
        networks: By name; with kernels of one size.
        smallest: Least height and width of a photo in pixels.

    Raises:
        UsageError: They take colour photos.
    """
    if any(network.in_channels != 1 for network in networks.values()):
        raise UsageError("only networks for grey photos can be exported, and these weights are of one for colour")
    return Portable(
        PortableDublid(networks.values()),
        smallest=smallest,
        outputs=("restored", "kernel"),
        traced=True,
        # or the photos have a frame of the same size
        more=2 * max(network.frame_multiple for network in networks.values()),
        facts={"networks": ",".join(networks)},
    )


class PortableDublid(nn.Module):
    """Brightness of a photo through each network, and the photo with the brightness that the network gives it.

    Args:
        networks: Take grey photos.
    """

    def __init__(self, networks: Iterable[Dublid]) -> None:
        super().__init__()
        self.networks = nn.ModuleList([_OneNetwork(network) for network in networks])

    def forward(self, blurry: Float[Tensor, "1 3 h w"]) -> tuple[Float[Tensor, "n 3 h w"], Float[Tensor, "n 1 k k"]]:
        """The sharp images, not clamped, and the kernels, each with its centre of mass at its centre."""
        images, kernels = zip(*(network(blurry) for network in self.networks), strict=True)
        return torch.cat(images), torch.cat(kernels)


class _OneNetwork(nn.Module):
    def __init__(self, network: Dublid) -> None:
        super().__init__()
        self.network = network

    def forward(self, blurry: Tensor) -> tuple[Tensor, Tensor]:
        """The sharp image and the kernel."""
        seen = brightness(blurry, BT709)
        image, kernel = self._estimate(seen)
        offset = offset_of_mass(kernel)
        image, kernel = move(image, offset), move(kernel, -offset)
        half = self.network.kernel_size // 2
        sharp = image[..., half : half + blurry.shape[-2], half : half + blurry.shape[-1]]
        return blurry + (sharp - seen), kernel / kernel.sum((-2, -1), keepdim=True)

    def _estimate(self, blurry: Tensor) -> tuple[Tensor, Tensor]:
        """`Dublid.forward` on one grey photo: the image in its frame, and the kernel, not yet centred."""
        network = self.network
        reach = network.kernel_size - 1
        height, width = network.frame_size(*blurry.shape[-2:])
        fourier = _Fourier(height, width, network.frame_multiple)

        def spectrum(image: Tensor, before: int = 0) -> _Spectrum:
            down, across = height - image.shape[-2] - before, width - image.shape[-1] - before
            return fourier.forward(functional.pad(image, (before, across, before, down)))

        features = network.features(blurry)
        kernel = network.impulse(blurry)
        spectrum_of_kernel = spectrum(kernel)
        sparse = spectrum(soft_threshold(features[-1], network.bias_list[0]), reach - network.kernel_size // 2)
        latent = blurry
        for layer in range(network.layers):
            seen = spectrum(features[network.layers - 1 - layer], reach)
            zeta = network.zetas(layer)
            filtered = (spectrum_of_kernel.conjugate.times(seen) * zeta + sparse) / (
                zeta * spectrum_of_kernel.power + 1
            )
            latent = fourier.backward(filtered)
            sparse = fourier.forward(soft_threshold(latent, network.bias_list[layer + 1]))
            kernel = self._kernel_step(layer, seen, sparse, spectrum_of_kernel, fourier)
            spectrum_of_kernel = spectrum(kernel)
        details = fourier.forward(soft_threshold(latent, network.bias_list[-1]))
        filters = functional.pad(network.first_filters()[:, 0][None], (0, width - 3, 0, height - 3))
        filters = fourier.forward(torch.roll(filters, (-1, -1), (-2, -1)))  # their centres at the origin
        strengths = network.zetas(-1)
        drawn = (filters.conjugate.times(details) * strengths).total
        numerator = spectrum_of_kernel.conjugate.times(spectrum(blurry, reach)) + drawn
        denominator = spectrum_of_kernel.power + (strengths * filters.power).sum(1, keepdim=True)
        return fourier.backward(numerator / denominator), kernel

    def _kernel_step(
        self, layer: int, seen: _Spectrum, sparse: _Spectrum, previous: _Spectrum, fourier: _Fourier
    ) -> Tensor:
        trust = self.network.kernel_prox_list[layer]
        votes = sparse.conjugate.times(seen).total * trust
        drawn = votes + previous if self.network.variant == "code" else votes
        weights = sparse.power.sum(1, keepdim=True)
        return self.network.finish_kernel(layer, fourier.backward(drawn / (trust * weights + 1)))


@dataclass(frozen=True)
class _Spectrum:
    """Complex numbers as two real tensors `(B, C, rows, columns // 2 + 1)`."""

    real: Tensor
    imag: Tensor

    def __add__(self, other: _Spectrum) -> _Spectrum:
        return _Spectrum(self.real + other.real, self.imag + other.imag)

    def __mul__(self, factor: Tensor) -> _Spectrum:
        return _Spectrum(self.real * factor, self.imag * factor)

    def __truediv__(self, divisor: Tensor) -> _Spectrum:
        return _Spectrum(self.real / divisor, self.imag / divisor)

    def times(self, other: _Spectrum) -> _Spectrum:
        """The product of both."""
        return _Spectrum(
            self.real * other.real - self.imag * other.imag, self.real * other.imag + self.imag * other.real
        )

    @property
    def conjugate(self) -> _Spectrum:
        return _Spectrum(self.real, -self.imag)

    @property
    def power(self) -> Tensor:
        """Squared absolute values."""
        return self.real.square() + self.imag.square()

    @property
    def total(self) -> _Spectrum:
        """The sum over channels."""
        return _Spectrum(self.real.sum(1, keepdim=True), self.imag.sum(1, keepdim=True))


class _Fourier:
    """Transforms of real images in a frame of one size: along rows one product, along columns two (Cooley and Tukey).

    With n = p m rows, row r = m a + b and frequency f = c + p d: exp(-2πi r f / n) is the product of
    exp(-2πi a c / p), exp(-2πi b c / n) and exp(-2πi b d / m).

    Args:
        height: n.
        width: Even.
        factor: p, which divides n.
    """

    def __init__(self, height: int, width: int, factor: int) -> None:
        rest, half = height // factor, width // 2 + 1
        self._outer, self._inner, self._whole = (factor, rest * half), (factor, rest, half), (height, half)
        self._across = _turns(width, half, width)
        self._coarse, self._fine = _turns(factor, factor, factor), _turns(rest, rest, rest)
        twiddles = _turns(factor, rest, height)
        self._between = _Spectrum(twiddles.real[..., None], twiddles.imag[..., None])
        # The frequencies left out are the mirror image of those that are there, but for the first and the last.
        column = torch.arange(half)
        self._shares = torch.where((column == 0) | (column == half - 1), 1.0, 2.0) / (height * width)

    def forward(self, image: Float[Tensor, "b c h w"]) -> _Spectrum:
        """The spectrum of images that fill the frame."""
        columns = _Spectrum(image @ self._across.real, image @ self._across.imag)
        first = _product(self._coarse, _reshaped(columns, self._outer))
        parts = _reshaped(first, self._inner).times(self._between)
        return _reshaped(_product(self._fine, parts), self._whole)

    def backward(self, spectrum: _Spectrum) -> Float[Tensor, "b c h w"]:
        """The images of spectra: the same steps, the other way round."""
        parts = _product(self._fine.conjugate, _reshaped(spectrum, self._inner)).times(self._between.conjugate)
        last = _product(self._coarse.conjugate, _reshaped(parts, self._outer))
        columns = _reshaped(last, self._whole) * self._shares
        return columns.real @ self._across.real.T + columns.imag @ self._across.imag.T


def _turns(rows: int, columns: int, period: int) -> _Spectrum:
    """exp(-2πi r c / period), for r and c counted from 0."""
    whole = torch.full((1,), period)  # as a tensor: the exporter knows no remainder by a size of the photo
    # Whole numbers up to here, so that the angles are exact.
    steps = torch.arange(rows)[:, None] * torch.arange(columns)[None] % whole
    angles = steps.float() / whole.float() * (2 * math.pi)
    return _Spectrum(angles.cos(), -angles.sin())


def _product(matrix: _Spectrum, values: _Spectrum) -> _Spectrum:
    """Product of complex matrices, the rows of `values` being those of its last but one axis."""
    return _Spectrum(
        matrix.real @ values.real - matrix.imag @ values.imag, matrix.real @ values.imag + matrix.imag @ values.real
    )


def _reshaped(values: _Spectrum, last: tuple[int, ...]) -> _Spectrum:
    """The axes after the second divided anew."""
    return _Spectrum(
        values.real.reshape(*values.real.shape[:2], *last), values.imag.reshape(*values.imag.shape[:2], *last)
    )
