"""Kernels that lamps have drawn: the streak of a small clipped light is the path of the camera.

A point of light is blurred into the kernel itself. Lamps have a size, so a streak is the kernel blurred by a small
disk, which Richardson-Lucy takes away. One streak may be anything, a neon tube or a reflection; the same shape twice in
a photo is the kernel. After Hu, Cho, Wang, Yang (CVPR 2014), who fit a model to such streaks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812 - the name that everyone gives it
from jaxtyping import Float
from torch import Tensor

from unblur.blur.kernels import centre_kernel, disk_kernel, trim_box
from unblur.images.labels import part_of
from unblur.images.tensors import srgb_to_linear
from unblur.metrics.kernel import kernel_similarity_upto_shift
from unblur.solvers.richardson_lucy import deconvolve_richardson_lucy

__all__ = ["propose_streaks"]

_CLIPPED = 0.75
"""Brightness in linear light from which a pixel belongs to a lamp; the lamps of a town are rarely white."""
_FAINTEST = 0.08
"""Light over that of the surroundings from which a pixel belongs to a streak."""
_LARGEST = 127
_CELL = 64
_CELLS = 16
_MOST = 0.25
"""Lamps are looked for in squares of so many pixels a side, in so many of them, those with least clipped light; a
square with more than such a share of it is sky, or snow."""
_SMALLEST = 5
"""Side of a streak in pixels below which it says nothing that the search would not find."""
_ALIKE = 0.8
"""Similarity from which two streaks are of one shape."""
_STREAKS = 2
_RADII = (0.8, 1.6)
_STEPS = 15
_KERNEL_FLOOR = 0.06

Grey = Float[Tensor, "1 1 h w"]


@dataclass(frozen=True)
class _Streak:
    light: Float[Tensor, "1 1 k k"]
    corner: tuple[int, int]
    pixels: int


def propose_streaks(grey: Grey) -> Iterator[Float[Tensor, "1 1 k k"]]:
    """Kernels, in linear light, that two streaks of the photo agree on; each with lamps of several sizes taken away.

    Args:
        grey: Brightness, sRGB-encoded, in [0, 1].
    """
    light = srgb_to_linear(grey)
    # A streak that reaches into two squares is found in both.
    each = {streak.corner: streak for streak in _find_streaks(light)}
    streaks = sorted(each.values(), key=lambda streak: streak.pixels)
    for streak in _repeated(streaks)[:_STREAKS]:
        for radius in _RADII:
            yield _without_lamp(streak.light, radius)


def _find_streaks(light: Tensor) -> Iterator[_Streak]:
    """One streak at most for each square that a lamp is in."""
    clipped = (light >= _CLIPPED).to(light.dtype)
    cells = F.avg_pool2d(clipped, _CELL, ceil_mode=True)[0, 0]
    shares, order = cells.flatten().sort()
    for place in order[(shares > 0) & (shares < _MOST)][:_CELLS].tolist():
        top, left = place // cells.shape[1] * _CELL, place % cells.shape[1] * _CELL
        own = clipped[0, 0, top : top + _CELL, left : left + _CELL].nonzero()
        row, column = own[len(own) // 2].tolist()
        streak = _streak_at(light, top + row, left + column)
        if streak is not None:
            yield streak


def _streak_at(light: Tensor, row: int, column: int) -> _Streak | None:
    """The streak through a pixel; None: it reaches the border of the photo, or is too large or small."""
    top, left = max(0, row - _LARGEST), max(0, column - _LARGEST)
    window = light[..., top : row + _LARGEST + 1, left : column + _LARGEST + 1]
    over = window - window.median()
    place = row - top, column - left
    if float(over[0, 0][place]) <= _FAINTEST:
        return None
    own = part_of(over > _FAINTEST, *place, reach=_LARGEST)
    rows, columns = (own[0, 0].any(axis).nonzero()[:, 0].tolist() for axis in (1, 0))
    height, width = rows[-1] - rows[0] + 1, columns[-1] - columns[0] + 1
    cut = rows[0] == 0 or columns[0] == 0 or rows[-1] == own.shape[-2] - 1 or columns[-1] == own.shape[-1] - 1
    if cut or not _SMALLEST <= max(height, width) <= _LARGEST:
        return None
    streak = (over * own)[..., rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    side = max(height, width) | 1
    down, right = side - height, side - width
    boxed = F.pad(streak, (right // 2, right - right // 2, down // 2, down - down // 2))
    return _Streak(boxed / boxed.sum(), (top + rows[0], left + columns[0]), int(own.sum()))


def _repeated(streaks: Sequence[_Streak]) -> list[_Streak]:
    """Those whose shape another one has, too."""
    return [
        one
        for one in streaks
        if any(
            float(kernel_similarity_upto_shift(one.light, other.light)) >= _ALIKE
            for other in streaks
            if other is not one
        )
    ]


def _without_lamp(streak: Tensor, radius: float) -> Tensor:
    """The kernel whose blur by the lamp's disk is the streak."""
    lamp = disk_kernel(radius)
    reach = lamp.shape[-1] // 2
    kernel = deconvolve_richardson_lucy(F.pad(streak / streak.amax(), (reach,) * 4), lamp, steps=_STEPS)
    kernel = torch.where(kernel < _KERNEL_FLOOR * kernel.amax(), 0.0, kernel)
    return trim_box(centre_kernel(kernel / kernel.sum()))
