"""The shift between two images of one scene, by phase correlation."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812 - the name that everyone gives it
from jaxtyping import Float
from torch import Tensor

from unblur.blur.fft import from_spectrum, good_size, multiply_conjugate, power, spectrum

__all__ = ["correlation_peaks", "find_shift"]


def find_shift(
    moved: Float[Tensor, "1 c h w"], fixed: Float[Tensor, "1 c h w"], reach: tuple[int, int], *, spread: int = 1
) -> tuple[int, int]:
    """(right, down) in whole pixels by which the content of `fixed` is moved in `moved` (Kuglin and Hines 1975).

    Arguments are those of `correlation_peaks`.
    """
    near = correlation_peaks(moved, fixed, reach, spread=spread)
    row, column = divmod(int(near.argmax()), near.shape[-1])
    return column - reach[1], row - reach[0]


def correlation_peaks(
    moved: Float[Tensor, "1 c h w"], fixed: Float[Tensor, "1 c h w"], reach: tuple[int, int], *, spread: int = 1
) -> Float[Tensor, "1 1 rows columns"]:
    """Phase correlation of two images at every shift within reach, from the farthest up and left on.

    Args:
        moved: In any encoding; the mean of its channels is compared.
        fixed: Of the same size.
        reach: Largest shift down and to the right, pixels.
        spread: Odd side of the box over which the correlation is averaged, twice, so that its middle counts most: where
            the two are blurred differently, its peak is as large as the blur.
    """
    height, width = fixed.shape[-2:]
    size = good_size(height), good_size(width)
    rows, columns = (torch.hann_window(side, dtype=fixed.dtype, device=fixed.device) for side in (height, width))
    spectra = [
        spectrum((one.mean(1, keepdim=True) - one.mean()) * rows[:, None] * columns, size) for one in (fixed, moved)
    ]
    product = multiply_conjugate(*spectra)
    peaks = from_spectrum(product / power(product).sqrt().clamp_min(1e-12), size)
    down, right = reach
    near = torch.roll(peaks, reach, (-2, -1))[..., : 2 * down + 1, : 2 * right + 1]
    for _ in range(2):
        near = F.avg_pool2d(near, spread, 1, spread // 2)
    return near
