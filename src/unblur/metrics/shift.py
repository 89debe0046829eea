"""Alignment up to a quarter of a pixel: the protocol `shift` of the Levin and Lai evaluations (`comp_upto_shift`).

A blind method finds image and kernel only up to a shift, and a sharp image one pixel off scores 24 dB. So the restored
image is sampled bilinearly at every shift of a grid, and the one closest to the truth is scored.

All shifts are compared without sampling any of them. With windows S_n of the restored image at whole-pixel shifts and
bilinear weights w_n, the error is `|sum w_n S_n - R|^2 = sum w_n w_m <S_n, S_m> - 2 sum w_n <S_n, R> + <R, R>`: one
cross-correlation with the truth R, and box sums of products of neighbouring pixels.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812 - the name that everyone gives it
from jaxtyping import Float
from torch import Tensor

from unblur.blur.fft import from_spectrum, good_size, multiply_conjugate, spectrum
from unblur.errors import ShapeError
from unblur.metrics.aligned_pair import AlignedPair

__all__ = ["BORDER", "align_by_shift", "shift_errors"]

BORDER = 15
"""Pixels dropped on each side of the truth."""

_REACH, _FAR_REACH = 5, 10
_PHASES = 4  # positions a pixel


def align_by_shift(restored: Float[Tensor, "b c _h _w"], sharp: Float[Tensor, "b c _h2 _w2"]) -> AlignedPair:
    """The restored image moved to where it is closest to the truth, and the truth, both without 15 pixels of border.

    Shifts of up to 5 pixels in steps of a quarter, one for all channels, smallest sum of squared differences, the first
    on ties; where the best lies on the edge of the search, up to 10 pixels. Images of different sizes are first
    cropped about their centres to the common size.

    Raises:
        ShapeError: 30 pixels or fewer on a side, which the border uses up.
    """
    restored, sharp = _common_centre(restored, sharp)
    if min(sharp.shape[-2:]) <= 2 * BORDER:
        raise ShapeError(
            f"protocol shift drops {BORDER} pixels on each side, which leaves nothing of "
            f"{sharp.shape[-1]}x{sharp.shape[-2]} pixels"
        )
    pairs = [_align_one(r, s) for r, s in zip(restored, sharp, strict=True)]
    return AlignedPair(*(torch.stack(part) for part in zip(*pairs, strict=True)))


def shift_errors(moving: Float[Tensor, "c mh mw"], fixed: Float[Tensor, "c h w"], reach: int) -> Float[Tensor, "n n"]:
    """Sum of squared differences at every shift, float64, `n = 8 * reach + 1`.

    Args:
        moving: `fixed`'s window of the image to be sampled, with `reach` more pixels on each side and one more below
            and on the right.
        fixed: What it is compared with.
        reach: Largest shift, pixels.

    Returns:
        Row: shift to the right, column: shift down, both from -reach in steps of a quarter of a pixel.
    """
    level = fixed.double().mean()  # errors stay the same and lose fewer digits
    moving, fixed = moving.double() - level, fixed.double() - level
    window = (fixed.shape[-2], fixed.shape[-1])
    right, below, beyond = moving[:, :, 1:], moving[:, 1:, :], moving[:, 1:, 1:]
    square = _box_sums(moving.square(), window)
    across = _box_sums(moving[:, :, :-1] * right, window)
    down = _box_sums(moving[:, :-1, :] * below, window)
    diagonal = _box_sums(moving[:, :-1, :-1] * beyond, window)
    antidiagonal = _box_sums(right[:, :-1, :] * below[:, :, :-1], window)
    match = _correlation(moving, fixed, 2 * reach + 2)

    part = torch.arange(_PHASES, dtype=torch.float64, device=fixed.device) / _PHASES
    x, y = part[None, :, None, None], part[:, None, None, None]  # phases down, phases right, rows, columns
    a, b, c, d = (1 - y) * (1 - x), (1 - y) * x, y * (1 - x), y * x
    sampled = a * match[:-1, :-1] + b * match[:-1, 1:] + c * match[1:, :-1] + d * match[1:, 1:]
    energy = (
        a**2 * square[:-1, :-1] + b**2 * square[:-1, 1:] + c**2 * square[1:, :-1] + d**2 * square[1:, 1:]
        + 2 * (a * b * across[:-1] + c * d * across[1:] + a * c * down[:, :-1] + b * d * down[:, 1:])
        + 2 * (a * d * diagonal + b * c * antidiagonal)
    )  # fmt: skip
    errors = energy - 2 * sampled + fixed.square().sum()
    count = 2 * _PHASES * reach + 1
    return errors.permute(3, 1, 2, 0).flatten(2).flatten(0, 1)[:count, :count]


def _align_one(restored: Tensor, sharp: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    fixed = sharp[:, BORDER:-BORDER, BORDER:-BORDER]
    right, down = _best_shift(restored, fixed, _REACH)
    if max(abs(right), abs(down)) == _REACH:
        right, down = _best_shift(restored, fixed, _FAR_REACH)
    shift = torch.tensor([right, down], dtype=torch.float64)
    return _sample(restored, (fixed.shape[-2], fixed.shape[-1]), right, down), fixed, shift


def _best_shift(restored: Tensor, fixed: Tensor, reach: int) -> tuple[float, float]:
    first, last = BORDER - reach, BORDER - reach - 1
    errors = shift_errors(restored[:, first:-last, first:-last], fixed, reach)
    least = errors.min() + 1e-12 * fixed.double().square().sum()  # equal errors differ by rounding
    place = int((errors <= least).flatten().nonzero()[0])
    right, down = divmod(place, errors.shape[1])
    return right / _PHASES - reach, down / _PHASES - reach


def _sample(image: Tensor, size: tuple[int, int], right: float, down: float) -> Tensor:
    """The window of `size` at `BORDER` plus the shift, bilinear."""
    top, left = int(BORDER + down // 1), int(BORDER + right // 1)
    x, y = right % 1, down % 1
    block = image[:, top : top + size[0] + 1, left : left + size[1] + 1]
    rows = (1 - y) * block[:, :-1] + y * block[:, 1:]
    return (1 - x) * rows[:, :, :-1] + x * rows[:, :, 1:]


def _box_sums(values: Tensor, window: tuple[int, int]) -> Tensor:
    """Sums over the window at every place where it lies inside, over all channels together."""
    total = F.pad(values.sum(0), (1, 0, 1, 0)).cumsum(0).cumsum(1)
    height, width = window
    return total[height:, width:] - total[:-height, width:] - total[height:, :-width] + total[:-height, :-width]


def _correlation(moving: Tensor, fixed: Tensor, count: int) -> Tensor:
    """Inner products of `fixed` with the windows of `moving` at the first `count` rows and columns."""
    frame = (good_size(moving.shape[-2]), good_size(moving.shape[-1]))
    product = multiply_conjugate(spectrum(fixed, frame), spectrum(moving, frame)).sum(0)
    return from_spectrum(product, frame)[:count, :count]


def _common_centre(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    height, width = min(a.shape[-2], b.shape[-2]), min(a.shape[-1], b.shape[-1])
    return _centre(a, height, width), _centre(b, height, width)


def _centre(image: Tensor, height: int, width: int) -> Tensor:
    top, left = (image.shape[-2] - height) // 2, (image.shape[-1] - width) // 2
    return image[..., top : top + height, left : left + width]
