"""Pictures blurred by a camera that turned while it shook."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from planted import draw_picture
from unblur.blur.dynamic import expose
from unblur.blur.kernels import kernel_from_trajectory, trim_box
from unblur.images.tensors import linear_to_srgb, srgb_to_linear

MARGIN = 24


WAY = 6.0
"""Of the camera over the exposure along a bow, pixels."""


def turned_picture(size: tuple[int, int], *, turn: float, seed: int = 0) -> tuple[Tensor, Tensor]:
    """A photo `(1, 1, H, W)`, sRGB-encoded, and what it shows when sharp.

    Args:
        size: Height and width, even.
        turn: Angle over the exposure, radians.
        seed: Of the picture.
    """
    height, width = (side + 2 * MARGIN for side in size)
    drawn = draw_picture(height // 2, width // 2, seed)  # shapes of twice the size
    scene = srgb_to_linear(F.interpolate(drawn, size=(height, width), mode="bicubic").clamp(0, 1))
    path = torch.cat([_way(), turn * _time()[:, None]], 1)
    nothing = torch.zeros(0, height, width, dtype=torch.bool)
    seen = linear_to_srgb(expose(scene, nothing, path[None]).blurry.clamp(0, 1))
    noise = 0.003 * torch.randn(seen.shape, generator=torch.Generator().manual_seed(seed))
    inside = (..., slice(MARGIN, -MARGIN), slice(MARGIN, -MARGIN))
    return (seen + noise).clamp(0, 1)[inside], linear_to_srgb(scene)[inside]


def middle_kernel() -> Tensor:
    """How the middle of such a photo is blurred."""
    return trim_box(kernel_from_trajectory(_way(), 15))


def _time() -> Tensor:
    return torch.linspace(-0.5, 0.5, 33)


def _way() -> Tensor:
    time = _time()
    return WAY * torch.stack([time, 2 * (time.square() - time.square().mean())], 1)
