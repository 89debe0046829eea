"""What pixels tell of the JPEG that they came from: how coarsely it rounded.

A photo that was compressed, opened and saved as something else keeps the traces, and a tensor has no file.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor

from unblur.images.large import Image

__all__ = ["estimate_jpeg_coarseness"]

_BLOCK = 8
_FREQUENCIES = ((0, 1), (1, 0), (1, 1), (0, 2), (2, 0), (1, 2), (2, 1))
_USUAL_STEPS = (11.0, 12.0, 12.0, 10.0, 14.0, 14.0, 13.0)
"""Steps of these frequencies in the table of the JPEG standard (Annex K.1) at quality 50."""
_LARGEST_STEP = 64
_CERTAIN = 0.5
_ENOUGH_VALUES = 40
_MANY_BLOCKS = 4096
"""So many blocks tell the steps of a photo of any size."""


def estimate_jpeg_coarseness(luma: Image) -> float:
    """Rounding steps of the JPEG over those of the standard's table at quality 50; 0: no traces.

    Quality 90 has about 0.2, 75 has 0.5, 30 has 1.7. The steps show in the histograms of the DCT coefficients, which
    are combs (Fan and de Queiroz, IEEE TIP 2003). The grid of blocks has to begin at the top left corner.

    Args:
        luma: `(1, 1, H, W)`, as stored, in [0, 1]: the brightness of BT.601.
    """
    height, width = (side // _BLOCK * _BLOCK for side in luma.shape[-2:])
    if not height or not width:
        return 0.0
    blocks = 255 * _blocks(luma, height, width).float()
    basis = _dct_basis(blocks)
    coefficients = basis @ (blocks - 128) @ basis.T
    steps = [_comb_step(coefficients[:, row, column]) for row, column in _FREQUENCIES]
    shares = sorted(step / usual for step, usual in zip(steps, _USUAL_STEPS, strict=True) if step)
    return shares[len(shares) // 2] if len(shares) > len(steps) // 2 else 0.0


def _blocks(luma: Image, height: int, width: int) -> Float[Tensor, "n 8 8"]:
    """The blocks of the grid, or of a large photo as many of them as are enough."""
    across, count = width // _BLOCK, height * width // _BLOCK**2
    every = max(1, count // _MANY_BLOCKS)
    if isinstance(luma, Tensor):
        rows = luma[0, 0, :height, :width].unflatten(0, (-1, _BLOCK)).unflatten(2, (-1, _BLOCK))
        return rows.movedim(2, 1).flatten(0, 1)[::every]
    corners = (divmod(number, across) for number in range(0, count, every))
    parts = [(_BLOCK * row, _BLOCK * column) for row, column in corners]
    return torch.cat([luma[..., top : top + _BLOCK, left : left + _BLOCK][0] for top, left in parts])


def _comb_step(values: Tensor) -> int:
    """The largest distance at which the values gather; 0: at none."""
    # All distances at once: one by one took longer than a Wiener filter.
    steps = torch.arange(_LARGEST_STEP, 1, -1, device=values.device, dtype=values.dtype)[:, None]
    beyond = values.abs() > steps / 2
    counts = beyond.sum(1)
    gathered = (torch.cos(2 * math.pi / steps * values) * beyond).sum(1) / counts.clamp_min(1)
    found = steps[(counts >= _ENOUGH_VALUES) & (gathered > _CERTAIN)]
    return int(found[0]) if len(found) else 0


def _dct_basis(like: Tensor) -> Float[Tensor, "8 8"]:
    """The orthonormal DCT-II."""
    rows = torch.arange(_BLOCK, dtype=like.dtype, device=like.device)[:, None]
    columns = torch.arange(_BLOCK, dtype=like.dtype, device=like.device)[None, :]
    basis = math.sqrt(2 / _BLOCK) * torch.cos(math.pi / _BLOCK * rows * (columns + 0.5))
    basis[0] /= math.sqrt(2)
    return basis
