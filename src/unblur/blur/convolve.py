"""Convolution with every boundary, and its exact adjoint.

Each convolution is the same two steps: extend the image beyond its border as the boundary says, then convolve where the
kernel lies wholly inside. The adjoint is the two adjoint steps in reverse order.
"""

from __future__ import annotations

from typing import get_args

import torch
import torch.nn.functional as F  # noqa: N812 - the name that everyone gives it
from jaxtyping import Float
from torch import Tensor

from unblur.blur.borders import Boundary, extend, extend_adjoint
from unblur.blur.fft import from_spectrum, good_size, kernel_spectrum, multiply, multiply_conjugate, spectrum
from unblur.errors import ShapeError

__all__ = ["convolve", "convolve_adjoint"]

_DIRECT_AREA = 25
"""Kernels of up to so many pixels are applied directly; above, the Fourier transform is quicker."""


def convolve(
    image: Float[Tensor, "b c h w"], kernel: Float[Tensor, "#b #c kh kw"], boundary: Boundary
) -> Float[Tensor, "b c oh ow"]:
    """The image blurred by the kernel: `out(x) = sum over t of kernel(t) image(x - t)`, t from the kernel's centre.

    Args:
        image: Any real values; for physical blur, linear light.
        kernel: Odd sizes, one for all images and channels or one for each. It may be larger than the image.
        boundary: See `Boundary`. `"valid"` gives an image smaller by the kernel size less 1, the others the same size.

    Raises:
        ShapeError: Even kernel size, or `"valid"` with a kernel larger than the image.
    """
    _check(image, kernel, boundary)
    margin = kernel.shape[-2] // 2, kernel.shape[-1] // 2
    if boundary != "valid":
        image = extend(image, margin, boundary)
    elif image.shape[-2] < kernel.shape[-2] or image.shape[-1] < kernel.shape[-1]:
        raise ShapeError(f"a {_size(kernel)} kernel fits nowhere inside an image of {_size(image)} pixels")
    working = _working_dtype(image)
    return _convolve_inside(image.to(working), kernel.to(working)).to(image.dtype)


def convolve_adjoint(
    image: Float[Tensor, "b c h w"], kernel: Float[Tensor, "#b #c kh kw"], boundary: Boundary
) -> Float[Tensor, "b c oh ow"]:
    """The image under the exact adjoint of `convolve`.

    For all a and b, `<convolve(a, k), b> = <a, convolve_adjoint(b, k)>`.

    Args:
        image: Image of the size that `convolve` returns: for `"valid"` smaller by the kernel size less 1.
        kernel: The same kernel, not flipped.
        boundary: The same boundary.

    Raises:
        ShapeError: Even kernel size.
    """
    _check(image, kernel, boundary)
    working = _working_dtype(image)
    full = _convolve_inside_adjoint(image.to(working), kernel.to(working))
    if boundary != "valid":
        full = extend_adjoint(full, (kernel.shape[-2] // 2, kernel.shape[-1] // 2), boundary)
    return full.to(image.dtype)


def _convolve_inside(image: Tensor, kernel: Tensor) -> Tensor:
    height, width = kernel.shape[-2:]
    if height * width <= _DIRECT_AREA:
        return _correlate_directly(image, kernel.flip(-2, -1))
    frame = good_size(image.shape[-2]), good_size(image.shape[-1])
    blurred = from_spectrum(multiply(kernel_spectrum(kernel, frame), spectrum(image, frame)), frame)
    top, left = height // 2, width // 2
    return blurred[..., top : image.shape[-2] - top, left : image.shape[-1] - left]


def _convolve_inside_adjoint(image: Tensor, kernel: Tensor) -> Tensor:
    height, width = kernel.shape[-2:]
    if height * width <= _DIRECT_AREA:
        padded = F.pad(image, (width - 1, width - 1, height - 1, height - 1))
        return _correlate_directly(padded, kernel)
    padded = F.pad(image, (width // 2, width // 2, height // 2, height // 2))
    frame = good_size(padded.shape[-2]), good_size(padded.shape[-1])
    spread = from_spectrum(multiply_conjugate(kernel_spectrum(kernel, frame), spectrum(padded, frame)), frame)
    return spread[..., : padded.shape[-2], : padded.shape[-1]]


def _correlate_directly(image: Tensor, kernel: Tensor) -> Tensor:
    batch, channels, height, width = image.shape
    each = kernel.expand(batch, channels, -1, -1).reshape(batch * channels, 1, *kernel.shape[-2:])
    planes = F.conv2d(image.reshape(1, batch * channels, height, width), each, groups=batch * channels)
    return planes.reshape(batch, channels, *planes.shape[-2:])


def _working_dtype(image: Tensor) -> torch.dtype:
    """Float32 or better: half precision has neither range nor digits for a Fourier transform."""
    return torch.promote_types(image.dtype, torch.float32)


def _size(tensor: Tensor) -> str:
    return f"{tensor.shape[-1]}x{tensor.shape[-2]}"


def _check(image: Tensor, kernel: Tensor, boundary: Boundary) -> None:
    if boundary not in get_args(Boundary):
        raise ValueError(f"boundary is one of {', '.join(get_args(Boundary))}, not {boundary!r}")
    if image.ndim != 4 or kernel.ndim != 4:
        raise ShapeError(
            f"image and kernel have four axes (batch, channel, height, width), not {image.ndim} and {kernel.ndim}"
        )
    if kernel.shape[-2] % 2 == 0 or kernel.shape[-1] % 2 == 0:
        raise ShapeError(f"a kernel has odd sizes, so that it has a centre; this one has {_size(kernel)}")
