"""Detail that the photo holds and a refined answer lost is brought back.

The refined image is taken for the mean of what is likely, with errors of one size at all frequencies. The photo says
more about those frequencies that the kernel let through: a Wiener filter of what the image, blurred again, leaves
unexplained. How large errors and noise are is read off that remainder itself, whose power is that of the noise plus
that of the errors times the kernel's. Of several photos of one scene each says what its own kernel let through.
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
_WEIGHT_OF_SEVERAL = 0.2
"""The same where there are several photos, whose kernels are surer and fill each other's gaps. Of ten bursts of
BSDS500, 0.1 and 0.3 come to as much."""
_BINS = 16
_CLIPPED = 0.995
_TILE = 1024

Image = Float[Tensor, "1 c h w"]
Photos = Float[Tensor, "n c h w"]
Counts = Float[Tensor, "n 1 h w"]
Kernels = Float[Tensor, "n 1 k k"]


def restore_consistency(
    image: Image,
    blurry: Photos,
    kernel: Kernels,
    *,
    encoding: Literal["encoded", "linear"],
    is_jpeg: bool,
    known: Counts | None = None,
) -> Image:
    """The image that explains the photo better and lies near the one that is given; sRGB-encoded, in [0, 1].

    What lies within the reach of the kernel from a border, from clipped light or from what is not known says nothing.

    Args:
        image: Refined answer, sRGB-encoded.
        blurry: The photo, or several of one scene, sRGB-encoded, in [0, 1].
        kernel: Of each photo; sum 1, odd side.
        encoding: Where it blurs.
        is_jpeg: Whether the photo was compressed.
        known: 1 where a photo counts, else 0; None: everywhere.
    """
    linear, colours = encoding == "linear", image.shape[1]
    images = [srgb_to_linear(one) if linear else one for one in (image.clamp(0, 1), blurry)]
    counts = _where_the_photo_counts(blurry, known, kernel.shape[-1] // 2)
    stacked = torch.cat([one.flatten(0, 1) for one in (*images, counts)])[None]

    def unexplained(part: Tensor) -> Photos:
        sharp, photos, count = part[0].split([colours, len(blurry) * colours, len(blurry)])
        blurred = convolve(sharp.expand(len(blurry), -1, -1, -1), kernel, "replicate")
        return (photos.unflatten(0, (-1, colours)) - blurred) * count[:, None]

    weight = _weight_of(unexplained(_middle(stacked)), kernel, is_jpeg)

    def run(part: Tensor, on_step: Callable[[], None]) -> Tensor:
        on_step()
        return part[:, :colours] + _correction(unexplained(part), kernel, weight)

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


def _weight_of(unexplained: Photos, kernel: Kernels, is_jpeg: bool) -> float:
    """What keeps the image as it is, beside the power of the kernels; infinite where it has no errors."""
    if len(kernel) > 1:
        return _WEIGHT_OF_SEVERAL
    least = _LEAST_WEIGHT_OF_JPEG if is_jpeg else _LEAST_WEIGHT
    return max(_DOUBT * _noise_over_errors(unexplained, kernel), least)


def _noise_over_errors(unexplained: Image, kernel: Kernels) -> float:
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


def _correction(unexplained: Photos, kernel: Kernels, weight: float) -> Image:
    frame, (height, width) = _frame(unexplained, kernel), unexplained.shape[-2:]
    blur = kernel_spectrum(kernel, frame)
    share = (power(blur).sum(0, keepdim=True) + weight).reciprocal_()
    corrected = multiply_conjugate(blur, spectrum(unexplained, frame)).sum(0, keepdim=True) * share
    return from_spectrum(corrected, frame)[..., :height, :width]


def _frame(unexplained: Tensor, kernel: Tensor) -> tuple[int, int]:
    height, width = (good_size(n + k) for n, k in zip(unexplained.shape[-2:], kernel.shape[-2:], strict=True))
    return height, width
