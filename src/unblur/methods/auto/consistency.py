"""Detail that the photo holds and a refined answer lost is brought back.

The refined image is taken for the mean of what is likely, with errors of one size at all frequencies. The photo says
more about those frequencies that the kernel let through: a Wiener filter of what the image, blurred again, leaves
unexplained. How large errors and noise are is read off that remainder itself, whose power is that of the noise plus
that of the errors times the kernel's.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

import torch
import torch.nn.functional as F  # noqa: N812 - the name that everyone gives it
from jaxtyping import Float
from torch import Tensor

from unblur.blur.convolve import convolve
from unblur.blur.fft import from_spectrum, good_size, kernel_spectrum, multiply_conjugate, power, spectrum
from unblur.images.neighbourhoods import largest_along
from unblur.images.tensors import linear_to_srgb, srgb_to_linear
from unblur.images.tiling import run_tiled

__all__ = ["restore_consistency"]

_DOUBT = 4.0
_LEAST_WEIGHT, _LEAST_WEIGHT_OF_JPEG = 0.1, 0.5
"""Noise over errors counts as the first times what is found, for the kernel is wrong as well, and as no less than the
others: what a JPEG file rounded is no noise of a sensor. Chosen on photos of BSDS500 under known kernels."""
_BINS = 16
_CLIPPED = 0.995
_TILE = 1024

Images = Float[Tensor, "b c h w"]
Counts = Float[Tensor, "b 1 h w"]
Kernel = Float[Tensor, "1 1 k k"]


def restore_consistency(
    image: Images,
    blurry: Images,
    kernel: Kernel,
    *,
    encoding: Literal["encoded", "linear"],
    is_jpeg: bool,
    known: Float[Tensor, "1 1 h w"] | None = None,
) -> Images:
    """The image that explains the photo better and lies near the one that is given; sRGB-encoded, in [0, 1].

    What lies within the reach of the kernel from a border, from clipped light or from what is not known says nothing.

    Args:
        image: Refined answer, sRGB-encoded.
        blurry: The photo, sRGB-encoded, in [0, 1].
        kernel: Sum 1, odd side.
        encoding: Where it blurs.
        is_jpeg: Whether the photo was compressed.
        known: 1 where the photo counts, else 0; None: everywhere.
    """
    linear, colours = encoding == "linear", image.shape[1]
    images = [srgb_to_linear(one) if linear else one for one in (image.clamp(0, 1), blurry)]
    stacked = torch.cat([*images, _where_the_photo_counts(blurry, known, kernel.shape[-1] // 2)], 1)
    middle = _middle(stacked)
    ratio = _noise_over_errors(_unexplained(*_split(middle, colours), kernel), kernel)
    weight = max(_DOUBT * ratio, _LEAST_WEIGHT_OF_JPEG if is_jpeg else _LEAST_WEIGHT)

    def run(part: Tensor, on_step: Callable[[], None]) -> Tensor:
        on_step()
        return part[:, :colours] + _correction(_unexplained(*_split(part, colours), kernel), kernel, weight)

    if math.isinf(weight):
        return image.clamp(0, 1)
    answer = run_tiled(stacked, run, _TILE, 2 * kernel.shape[-1], on_step=lambda: None).clamp(0, 1)
    return linear_to_srgb(answer) if linear else answer


def _where_the_photo_counts(blurry: Tensor, known: Tensor | None, reach: int) -> Counts:
    """1 where the whole kernel falls on what is known and was not clipped."""
    lost = (blurry >= _CLIPPED).any(1, keepdim=True).to(blurry.dtype)
    if known is not None:
        lost = torch.maximum(lost, 1 - known)
    beyond = F.pad(lost, (reach,) * 4, value=1.0)
    window = 2 * reach + 1
    return 1 - largest_along(largest_along(beyond, window, -1), window, -2)


def _middle(stacked: Tensor) -> Tensor:
    """No more than a tile."""
    top, left = (max(0, (side - _TILE) // 2) for side in stacked.shape[-2:])
    return stacked[..., top : top + _TILE, left : left + _TILE]


def _split(stacked: Tensor, colours: int) -> tuple[Tensor, Tensor, Tensor]:
    return stacked[:, :colours], stacked[:, colours : 2 * colours], stacked[:, 2 * colours :]


def _unexplained(image: Tensor, photo: Tensor, counts: Tensor, kernel: Tensor) -> Images:
    return (photo - convolve(image, kernel, "replicate")) * counts


def _noise_over_errors(unexplained: Images, kernel: Kernel) -> float:
    """Variance of the noise over that of the image's errors, of brightness; infinite where there are no errors.

    A line through the mean power of the remainder over that of the kernel, in bins of frequencies of like power.
    """
    frame = _frame(unexplained, kernel)
    own = power(spectrum(unexplained.mean(1, keepdim=True), frame)).mean((0, 1))
    blur = power(kernel_spectrum(kernel, frame))[0, 0]
    order = blur.flatten().argsort()
    powers, means = (
        torch.stack([part.mean() for part in values.flatten()[order].chunk(_BINS)]) for values in (blur, own)
    )
    # The scatter of a power is as large as its mean.
    share = 1 / means.clamp_min(1e-12)
    columns = torch.stack([share, share * powers], 1)
    noise, errors = torch.linalg.lstsq(columns, (share * means)[:, None]).solution[:, 0].tolist()
    return max(noise, 0.0) / errors if errors > 0 else math.inf


def _correction(unexplained: Images, kernel: Kernel, weight: float) -> Images:
    frame, (height, width) = _frame(unexplained, kernel), unexplained.shape[-2:]
    blur = kernel_spectrum(kernel, frame)
    shares = (power(blur) + weight).reciprocal_()
    corrected = multiply_conjugate(blur, spectrum(unexplained, frame)) * shares
    return from_spectrum(corrected, frame)[..., :height, :width]


def _frame(unexplained: Tensor, kernel: Tensor) -> tuple[int, int]:
    height, width = (good_size(n + k) for n, k in zip(unexplained.shape[-2:], kernel.shape[-2:], strict=True))
    return height, width
