"""Whether a network's answer can be the same photo, only sharper: networks fail on what they were not trained on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["TOO_SMALL", "is_too_small", "keep_plausible"]

SMALLEST_SIDE = 16
"""Pixels of the shorter side of the smallest photo that goes through a network."""
TOO_SMALL = (
    f"the photo has a side of less than {SMALLEST_SIDE} pixels, too small for a network; it is returned unchanged"
)

_LARGEST_SHIFT = 0.12
_LARGEST_CHANGE = 0.3
_LARGEST_CONTRAST = 0.2
"""Change of a channel's mean, root mean square of all changes, and rise of the standard deviation, on the scale of
[0, 1]. Of 300 crops of BSDS500 of 16 to 200 pixels, blurred by camera shake, the sharp truth reaches 0.07, 0.23 and
0.15."""


def is_too_small(blurry: Tensor) -> bool:
    """Whether a photo `(B, C, H, W)` shows a network too little."""
    return min(blurry.shape[-2:]) < SMALLEST_SIDE


def keep_plausible(blurry: Tensor, restored: Tensor) -> tuple[Tensor, tuple[str, ...]]:
    """The answers, with the photo itself in place of those that cannot be its sharp version; and a sentence on these.

    Args:
        blurry: `(B, C, H, W)`, sRGB-encoded, in [0, 1].
        restored: The restored photo, of the same shape, clamped.
    """
    change = restored - blurry
    shift = change.mean((2, 3)).abs().amax(1)
    contrast = (restored.std((2, 3), correction=0) - blurry.std((2, 3), correction=0)).mean(1)
    reasons = {
        "its colours are others than those of the photo": shift > _LARGEST_SHIFT,
        "it has little in common with the photo": change.square().mean((1, 2, 3)).sqrt() > _LARGEST_CHANGE,
        "its contrast is far above that of the photo": contrast > _LARGEST_CONTRAST,
    }
    wrong = torch.stack(list(reasons.values())).any(0)
    kept = torch.where(wrong[:, None, None, None], blurry, restored)
    first = next((reason for reason, is_true in reasons.items() if bool(is_true.any())), "")
    return kept, (f"the answer was wrong ({first}), so the photo is returned unchanged",) if first else ()
