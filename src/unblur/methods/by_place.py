"""Images made place by place, where the camera turned and each place has a kernel of its own."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from unblur.blur.poses import Place, PoseBlur
from unblur.images.tiling import run_tiled

__all__ = ["Make", "make_by_place"]

_DRIFT = 0.6
"""Pixels by which a turn may move the border of a tile farther than its middle."""
_SMALLEST, _LARGEST = 64, 256
"""On seven photos of BSDS500 val whose camera turned, tiles of at least 96, 64, 48 and 32 pixels gain 1.8, 2.0, 2.0 and
2.1 dB, but those of 48 take twice the time of those of 64."""
_LEAST_HALO = 32

Make = Callable[[Tensor, Tensor, "Tensor | None", Callable[[float], None]], Tensor]
"""Makes the image of a photo or a part of it: given that, its kernel, where it counts (1, else 0; None: everywhere) and
what is called with the share of the work that is done."""


def make_by_place(
    photo: Float[Tensor, "1 c h w"],
    blur: PoseBlur,
    make: Make,
    known: Float[Tensor, "1 1 h w"] | None,
    on_progress: Callable[[float], None],
) -> Float[Tensor, "1 c h w"]:
    """The image of the photo from those of tiles that overlap, each with the kernel of its middle.

    Args:
        photo: sRGB-encoded, in [0, 1].
        blur: In pixels of the photo.
        make: Makes the image of a tile; called in several threads.
        known: 1 where the photo counts, else 0; None: everywhere.
        on_progress: Called with the share of the work that is done; raises to stop.
    """
    height, width = photo.shape[-2:]
    colours = photo.shape[1]
    down, right = torch.meshgrid(_from_middle(height, photo), _from_middle(width, photo), indexing="ij")
    counts = torch.ones_like(photo[:, :1]) if known is None else known
    stacked = torch.cat([photo, counts, right[None, None], down[None, None]], 1)
    done = [0.0]

    def run(part: Tensor, on_step: Callable[[], None]) -> Tensor:
        kernel = blur.kernel_at(Place(*(float(plane.mean()) for plane in part[0, -2:])))
        counted = None if known is None else part[:, colours : colours + 1]
        return make(part[:, :colours].contiguous(), kernel, counted, lambda _: on_step())

    def count(tiles: int, of: int) -> None:
        done[0] = tiles / of
        on_progress(done[0])

    tile = min(max(_SMALLEST, round(4 * _DRIFT / max(blur.turn, 1e-6))), _LARGEST)
    halo = max(_LEAST_HALO, _side(blur, math.hypot(height, width) / 2))
    return run_tiled(stacked, run, tile, halo, count, on_step=lambda: on_progress(done[0]))


def _from_middle(length: int, like: Tensor) -> Float[Tensor, " length"]:
    return torch.arange(length, dtype=like.dtype, device=like.device) - (length - 1) / 2


def _side(blur: PoseBlur, corner: float) -> int:
    """Side of the kernel's box at a corner of the photo."""
    return blur.kernel_at(Place(corner, 0.0)).shape[-1]
