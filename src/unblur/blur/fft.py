"""Two-dimensional spectra of real images.

A spectrum is what `torch.fft.rfft2` gives: the non-negative half of the columns.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812 - the name that everyone gives it
from jaxtyping import Complex, Float
from torch import Tensor

__all__ = [
    "from_spectrum",
    "good_size",
    "kernel_spectrum",
    "multiply",
    "multiply_conjugate",
    "power",
    "spectrum",
]


def good_size(n: int) -> int:
    """The smallest even number from `n` up without prime factors above 7: a frame side that transforms quickly."""
    size = n + n % 2
    while not _is_smooth(size):
        size += 2
    return size


def spectrum(image: Float[Tensor, "... h w"], size: tuple[int, int] | None = None) -> Complex[Tensor, "... fh fw"]:
    """The spectrum of an image.

    Args:
        image: Any real image; float32 or float64.
        size: Frame (height, width), not smaller than the image, which lies in its top left corner; the rest is zero.
    """
    return torch.fft.rfft2(image, s=size)


def from_spectrum(values: Complex[Tensor, "... fh fw"], size: tuple[int, int]) -> Float[Tensor, "... h w"]:
    """The real image of a spectrum.

    Args:
        values: What `spectrum` or a product of spectra gave.
        size: Frame (height, width) of that spectrum; a half spectrum does not distinguish even from odd widths.
    """
    return torch.fft.irfft2(values, s=size)


def kernel_spectrum(kernel: Float[Tensor, "... kh kw"], size: tuple[int, int]) -> Complex[Tensor, "... fh fw"]:
    """The spectrum of a kernel whose centre `(kH // 2, kW // 2)` is moved to the frame's origin.

    Multiplying an image's spectrum by it convolves circularly without a shift. A kernel larger than the frame wraps.

    Args:
        kernel: Odd sizes.
        size: Frame (height, width).
    """
    height, width = kernel.shape[-2:]
    placed = torch.roll(_fold(kernel, size), (-(height // 2), -(width // 2)), dims=(-2, -1))
    return torch.fft.rfft2(placed)


def multiply(a: Complex[Tensor, "*#s"], b: Complex[Tensor, "*#s"]) -> Complex[Tensor, "*#s"]:
    """`a * b`: convolution."""
    return a * b


def multiply_conjugate(a: Complex[Tensor, "*#s"], b: Complex[Tensor, "*#s"]) -> Complex[Tensor, "*#s"]:
    """`conj(a) * b`: correlation with the image of `a`, the adjoint of `multiply` by `a`."""
    # On real and imaginary parts, which do not lie in a row, it takes seven times as long.
    return a.conj() * b


def power(a: Complex[Tensor, "*s"]) -> Float[Tensor, "*s"]:
    """`|a|^2`."""
    return a.real.square() + a.imag.square()


def _is_smooth(n: int) -> bool:
    for factor in (2, 3, 5, 7):
        while n % factor == 0:
            n //= factor
    return n == 1


def _fold(kernel: Tensor, size: tuple[int, int]) -> Tensor:
    """The kernel in the top left corner of the frame; what reaches beyond wraps around."""
    rows, columns = (-(-k // s) for k, s in zip(kernel.shape[-2:], size, strict=True))
    height, width = rows * size[0], columns * size[1]
    padded = F.pad(kernel, (0, width - kernel.shape[-1], 0, height - kernel.shape[-2]))
    if rows == columns == 1:
        return padded
    return padded.unflatten(-2, (rows, size[0])).unflatten(-1, (columns, size[1])).sum(dim=(-4, -2))
