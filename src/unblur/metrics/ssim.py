"""Structural similarity (Wang, Bovik, Sheikh, Simoncelli, IEEE TIP 2004) in the variants that papers report.

One pair of images has an SSIM of 0.77 to 0.89 depending on the variant, so the variant is part of the name. All have
the constants K = (0.01, 0.03); what differs is the window, the border, and what becomes of colour.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch
import torch.nn.functional as F  # noqa: N812 - the name that everyone gives it
from jaxtyping import Float
from kornia.filters import filter2d_separable, get_gaussian_kernel1d
from kornia.metrics import ssim
from torch import Tensor

from unblur.errors import ShapeError
from unblur.metrics.luma import luma_matlab_studio

__all__ = [
    "SsimBorder",
    "shrink_by_box",
    "ssim_3d_matlab",
    "ssim_gaussian_padded",
    "ssim_gaussian_valid",
    "ssim_gaussian_valid_subsampled",
    "ssim_terms_gaussian_valid",
    "ssim_uniform",
    "ssim_y_matlab",
]

SsimBorder = Literal["symmetric", "replicate", "zeros"]
"""What lies outside the image: its mirror image, border pixel included (scikit-image's `full=True`); the border pixel
(MATLAB's `ssim` of grey images); nothing (the PyTorch script that most repositories copy)."""

_WINDOW, _SIGMA = 11, 1.5
_MARGIN = _WINDOW // 2
_UNIFORM = 7
_K1, _K2 = 0.01, 0.03


def ssim_gaussian_valid(
    restored: Float[Tensor, "b c h w"], sharp: Float[Tensor, "b c h w"], *, data_range: float
) -> Float[Tensor, " b"]:
    """SSIM as in Wang's `ssim.m`: Gaussian 11x11 window of 1.5 pixels, only where it lies inside the image.

    Each channel alone, then the mean over channels and pixels. No border is cropped beyond the window's. BasicSR crops
    the same way; so does scikit-image with `gaussian_weights=True, use_sample_covariance=False`.

    Args:
        restored: The answer.
        sharp: The truth.
        data_range: Largest value that a pixel can take: 1.0 for images in [0, 1].

    Raises:
        ShapeError: A side below 11 pixels.
    """
    _need(restored, _WINDOW)
    values = ssim(restored, sharp, _WINDOW, max_val=float(data_range), eps=0.0, padding="valid")
    return values.double().mean(dim=(1, 2, 3))


def ssim_gaussian_padded(
    restored: Float[Tensor, "b c h w"],
    sharp: Float[Tensor, "b c h w"],
    *,
    data_range: float,
    border: SsimBorder = "symmetric",
) -> Float[Tensor, " b"]:
    """SSIM with the Gaussian 11x11 window at every pixel, the images continued beyond their border.

    Each channel alone, then the mean over channels and pixels.

    Args:
        restored: The answer.
        sharp: The truth.
        data_range: As in `ssim_gaussian_valid`.
        border: See `SsimBorder`.
    """
    # filtering squares of the continued image is filtering the continued squares: the valid variant serves
    return ssim_gaussian_valid(_continued(restored, border), _continued(sharp, border), data_range=data_range)


def ssim_uniform(
    restored: Float[Tensor, "b c h w"], sharp: Float[Tensor, "b c h w"], *, data_range: float
) -> Float[Tensor, " b"]:
    """SSIM as scikit-image computes it by default: uniform 7x7 window inside the image, sample covariance.

    Each channel alone, then the mean over channels and pixels.

    Args:
        restored: The answer.
        sharp: The truth.
        data_range: As in `ssim_gaussian_valid`. Scripts that leave it to an older scikit-image have 2.0 for images in
            [0, 1], which inflates the value.

    Raises:
        ShapeError: A side below 7 pixels.
    """
    _need(restored, _UNIFORM)
    count = _UNIFORM**2
    terms = _terms(
        restored, sharp, data_range, lambda image: F.avg_pool2d(image, _UNIFORM, stride=1), count / (count - 1)
    )
    return (terms[0] * terms[1]).mean(dim=(1, 2, 3))


def ssim_y_matlab(restored: Float[Tensor, "b c h w"], sharp: Float[Tensor, "b c h w"]) -> Float[Tensor, " b"]:
    """`ssim_gaussian_valid` of `luma_matlab_studio` alone, data range 1, as BasicSR's `test_y_channel`.

    Args:
        restored: The answer in [0, 1].
        sharp: The truth in [0, 1].
    """
    return ssim_gaussian_valid(
        luma_matlab_studio(restored.double()), luma_matlab_studio(sharp.double()), data_range=1.0
    )


def ssim_3d_matlab(
    restored: Float[Tensor, "b c h w"], sharp: Float[Tensor, "b c h w"], *, data_range: float
) -> Float[Tensor, " b"]:
    """What MATLAB's `ssim` gives for an RGB array: the channels are the third axis of a volume.

    Gaussian 11x11x11 window of 1.5 pixels at every pixel, the border pixel (and the first and last channel) repeated
    outside. A grey image has `ssim_gaussian_padded` with border `"replicate"`.

    Args:
        restored: The answer.
        sharp: The truth.
        data_range: As in `ssim_gaussian_valid`.
    """
    taps = _gaussian_taps(restored.device)
    mixing = _channel_mixing(taps[0], restored.shape[1])

    def mean_around(image: Tensor) -> Tensor:
        padded = F.pad(image, (_MARGIN,) * 4, mode="replicate")
        return torch.einsum("dc,bchw->bdhw", mixing, filter2d_separable(padded, taps, taps, padding="valid"))

    terms = _terms(restored, sharp, data_range, mean_around)
    return (terms[0] * terms[1]).mean(dim=(1, 2, 3))


def ssim_gaussian_valid_subsampled(
    restored: Float[Tensor, "b c h w"], sharp: Float[Tensor, "b c h w"], *, data_range: float
) -> Float[Tensor, " b"]:
    """`ssim_gaussian_valid` of images brought to about 256 pixels, as Wang's later script does for larger ones.

    Box filter of `f = max(1, round(min(H, W) / 256))` pixels with mirrored border, then every f-th pixel; up to 383
    pixels f is 1 and nothing changes.
    """
    factor = max(1, int(min(restored.shape[-2:]) / 256 + 0.5))
    return ssim_gaussian_valid(shrink_by_box(restored, factor), shrink_by_box(sharp, factor), data_range=data_range)


def ssim_terms_gaussian_valid(
    restored: Float[Tensor, "b c h w"], sharp: Float[Tensor, "b c h w"], *, data_range: float
) -> tuple[Float[Tensor, "b c vh vw"], Float[Tensor, "b c vh vw"]]:
    """The maps of luminance, and of contrast times structure, whose product is the SSIM; float64.

    Raises:
        ShapeError: A side below 11 pixels.
    """
    _need(restored, _WINDOW)
    taps = _gaussian_taps(restored.device)
    return _terms(restored, sharp, data_range, lambda image: filter2d_separable(image, taps, taps, padding="valid"))


def shrink_by_box(image: Float[Tensor, "b c h w"], factor: int) -> Float[Tensor, "b c sh sw"]:
    """MATLAB's `imfilter(image, ones(f) / f^2, 'symmetric')` at every f-th pixel."""
    if factor == 1:
        return image
    before = (factor - 1) // 2
    return F.avg_pool2d(_mirrored(image, before, factor - 1 - before), factor, stride=factor)


def _terms(
    restored: Tensor, sharp: Tensor, data_range: float, mean_around: Callable[[Tensor], Tensor], unbias: float = 1.0
) -> tuple[Tensor, Tensor]:
    """Luminance, and contrast times structure: Eq. 6, and Eqs. 9 and 10 with C3 = C2 / 2."""
    x, y = restored.double(), sharp.double()
    c1, c2 = (_K1 * data_range) ** 2, (_K2 * data_range) ** 2
    mean_x, mean_y = mean_around(x), mean_around(y)
    spread = unbias * (mean_around(x * x) + mean_around(y * y) - mean_x**2 - mean_y**2)
    together = unbias * (mean_around(x * y) - mean_x * mean_y)
    luminance = (2 * mean_x * mean_y + c1) / (mean_x**2 + mean_y**2 + c1)
    return luminance, (2 * together + c2) / (spread + c2)


def _gaussian_taps(device: torch.device) -> Tensor:
    return get_gaussian_kernel1d(_WINDOW, _SIGMA, device=device, dtype=torch.float64)


def _channel_mixing(taps: Tensor, channels: int) -> Tensor:
    """What each channel's window takes of each channel, the first and the last repeated outside."""
    mixing = taps.new_zeros(channels, channels)
    for channel in range(channels):
        for offset, weight in enumerate(taps, start=-_MARGIN):
            mixing[channel, min(max(channel + offset, 0), channels - 1)] += weight
    return mixing


def _continued(image: Tensor, border: SsimBorder) -> Tensor:
    if border == "symmetric":
        return _mirrored(image, _MARGIN, _MARGIN)
    return F.pad(image, (_MARGIN,) * 4, mode="replicate" if border == "replicate" else "constant")


def _mirrored(image: Tensor, before: int, after: int) -> Tensor:
    """The image with its mirror image, border pixel included, on each side; both less than a side long."""
    for axis in (-2, -1):
        size = image.shape[axis]
        position = torch.arange(-before, size + after, device=image.device)
        position = torch.where(position < 0, -1 - position, position)
        position = torch.where(position >= size, 2 * size - 1 - position, position)
        image = image.index_select(axis, position)
    return image


def _need(image: Tensor, side: int) -> None:
    if min(image.shape[-2:]) < side:
        raise ShapeError(f"SSIM needs {side} pixels on each side, not {image.shape[-1]}x{image.shape[-2]}")
