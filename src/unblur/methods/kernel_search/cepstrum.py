"""Blur in the cepstrum: straight motion and defocus leave marks there that need no search.

A kernel multiplies the photo's spectrum, so in the logarithm of the spectrum it is added to that of the scene, and the
transform of that logarithm, the cepstrum, shows what is regular in it. The zeros of straight motion over L pixels are
evenly spaced: a dip at the distance L in the direction of the motion. Those of a disk are rings: a ring of dips at
nearly its diameter (Cannon, IEEE ASSP 1976).
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from jaxtyping import Float
from torch import Tensor

from unblur.blur.kernels import disk_kernel, linear_kernel

__all__ = ["log_spectrum", "propose_disks", "propose_lines", "spectral_match"]

_BLOCK = 256
"""Largest side of the overlapping parts whose spectra are averaged, pixels."""
_FLOOR = 1e-6
_SHORTEST = 3.5
"""Distance in pixels below which the scene itself hides every dip."""
_APART = 2
_LINE_EXCESS = 0.5
_DISK_EXCESS = 0.15
"""What the length of a line and the radius of a disk have more than the dip shows, pixels: kernels are anti-aliased."""
_LARGEST_RADIUS = 24
_KERNEL_FLOOR = 1e-4

Grey = Float[Tensor, "1 1 h w"]
Spectrum = Float[Tensor, "n n"]


def log_spectrum(grey: Grey) -> Spectrum:
    """Mean logarithm of the power spectra of overlapping square parts; its frequencies are those of `torch.fft.fft2`.

    Args:
        grey: In the encoding in which the blur took place, sides of at least 32 pixels.
    """
    side = min(_BLOCK, *grey.shape[-2:])
    window = torch.hann_window(side, periodic=False, dtype=grey.dtype, device=grey.device)
    parts = grey[0, 0].unfold(0, side, side // 2).unfold(1, side, side // 2).reshape(-1, side, side)
    parts = (parts - parts.mean((-2, -1), keepdim=True)) * window[:, None] * window[None, :]
    return torch.log(torch.fft.fft2(parts).abs().square() + _FLOOR).mean(0)


def propose_lines(spectrum: Spectrum, count: int) -> list[Float[Tensor, "1 1 k k"]]:
    """Straight motions at the `count` deepest dips of the cepstrum; fewer where there are fewer.

    Args:
        spectrum: What `log_spectrum` returned.
        count: Largest number of kernels.
    """
    return [
        linear_kernel(math.hypot(down, right) + _LINE_EXCESS, -math.degrees(math.atan2(down, right)))
        for down, right in _dips(_cepstrum(spectrum), count)
    ]


def propose_disks(spectrum: Spectrum) -> list[Float[Tensor, "1 1 k k"]]:
    """The disk whose ring of dips is the deepest of the cepstrum; none where no ring is below zero."""
    cepstrum = _cepstrum(spectrum)
    distance = _distances(cepstrum)
    rings = range(math.ceil(_SHORTEST), min(2 * _LARGEST_RADIUS, len(cepstrum) // 2 - 1))
    means = [float(cepstrum[(distance - ring).abs() < 0.5].mean()) for ring in rings]
    deepest = means.index(min(means)) if means else 0
    if not 0 < deepest < len(means) - 1 or means[deepest] >= 0:
        return []
    ring = rings[deepest] + _lowest_between(*means[deepest - 1 : deepest + 2])
    return [disk_kernel(ring / 2 + _DISK_EXCESS)]


def spectral_match(spectrum: Spectrum, kernel: Float[Tensor, "1 1 k k"]) -> float:
    """Correlation between the logarithms of the photo's spectrum and of the kernel's, the fall with frequency left out.

    What a kernel removed is missing in the photo: 1 if its zeros are those of the photo, about 0 if they are not.

    Args:
        spectrum: What `log_spectrum` returned.
        kernel: Sum 1; no more of it is used than a part of the photo held.
    """
    side = len(spectrum)
    cut = max(0, (kernel.shape[-1] - side + 1) // 2)
    inner = kernel[0, 0, cut : kernel.shape[-2] - cut, cut : kernel.shape[-1] - cut]
    own = torch.log(torch.fft.fft2(inner, s=(side, side)).abs().square() + _KERNEL_FLOOR)
    frequency = torch.fft.fftfreq(side, dtype=own.dtype, device=own.device)
    radius = torch.hypot(frequency[:, None], frequency[None, :])
    used = (radius > 4 / side) & (radius < 0.5)
    trend = torch.stack([torch.ones_like(radius[used]), radius[used].log()], 1)
    residuals = [_without(trend, values[used]) for values in (spectrum, own)]
    spread = residuals[0].norm() * residuals[1].norm()
    return float((residuals[0] * residuals[1]).sum() / spread.clamp_min(1e-9))


def _without(trend: Tensor, values: Tensor) -> Tensor:
    """What is left of the values after the least squares fit of the columns of `trend`."""
    normal = trend.T @ trend
    return values - trend @ torch.linalg.solve(normal, trend.T @ values)


def _cepstrum(spectrum: Tensor) -> Tensor:
    """With zero distance in the middle."""
    return torch.fft.fftshift(torch.fft.ifft2(spectrum).real)


def _distances(cepstrum: Tensor) -> Tensor:
    place = torch.arange(len(cepstrum), dtype=cepstrum.dtype, device=cepstrum.device) - len(cepstrum) // 2
    return torch.hypot(place[:, None], place[None, :])


def _dips(cepstrum: Tensor, count: int) -> Iterator[tuple[float, float]]:
    """Where the deepest dips are, (down, right) of the middle; of the two halves, which are the same, the lower one."""
    middle = len(cepstrum) // 2
    distance = _distances(cepstrum)
    row = torch.arange(len(cepstrum), device=cepstrum.device) - middle
    below = (row[:, None] > 0) | ((row[:, None] == 0) & (row[None, :] > 0))
    open_ = below & (distance >= _SHORTEST) & (distance < middle - _APART)
    depth = torch.where(open_, -cepstrum, torch.zeros_like(cepstrum))
    for _ in range(count):
        place = int(depth.argmax())
        if depth.flatten()[place] <= 0:
            return
        top, left = divmod(place, len(cepstrum))
        down, right = _centroid(-cepstrum[top - 1 : top + 2, left - 1 : left + 2])
        yield top - middle + down, left - middle + right
        depth[max(0, top - _APART) : top + _APART + 1, max(0, left - _APART) : left + _APART + 1] = 0


def _centroid(depth: Tensor) -> tuple[float, float]:
    """Of the positive values of a small square, relative to its middle."""
    weights = depth.clamp_min(0)
    step = torch.arange(len(depth), dtype=depth.dtype, device=depth.device) - len(depth) // 2
    total = weights.sum()
    return float((weights.sum(1) * step).sum() / total), float((weights.sum(0) * step).sum() / total)


def _lowest_between(left: float, middle: float, right: float) -> float:
    """Where the parabola through three values, one pixel apart, is lowest; 0 is the middle one."""
    bend = left - 2 * middle + right
    return 0.0 if bend <= 0 else (left - right) / (2 * bend)
