"""Whether a network's answer can be the same photo, only sharper: networks fail on what they were not trained on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["TOO_SMALL", "Changes", "is_too_small", "keep_plausible"]

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
    changes = Changes()
    changes.add(blurry, restored)
    wrong, doubts = changes.judge()
    return torch.where(wrong[:, None, None, None], blurry, restored), doubts


class Changes:
    """What distinguishes answers from their photos, summed up over parts of them."""

    def __init__(self) -> None:
        self._count = 0
        self._sums: dict[str, Tensor] = {}

    def add(self, blurry: Tensor, restored: Tensor) -> None:
        """Take a part of the photos `(B, C, h, w)`, and of the answers, in."""
        self._count += blurry[0, 0].numel()
        for name, values in (("blurry", blurry), ("restored", restored), ("change", restored - blurry)):
            for power, sums in ((1, values), (2, values.square())):
                total = sums.sum((2, 3), dtype=torch.float64)
                self._sums[f"{name} {power}"] = self._sums.get(f"{name} {power}", torch.zeros_like(total)) + total

    def judge(self) -> tuple[Tensor, tuple[str, ...]]:
        """Which answers `(B,)` cannot be the sharp version of their photo, and a sentence on these."""
        means = {name: total / self._count for name, total in self._sums.items()}
        spreads = {
            name: (means[f"{name} 2"] - means[f"{name} 1"].square()).clamp_min(0).sqrt()
            for name in ("blurry", "restored")
        }
        reasons = {
            "its colours are others than those of the photo": means["change 1"].abs().amax(1) > _LARGEST_SHIFT,
            "it has little in common with the photo": means["change 2"].mean(1).sqrt() > _LARGEST_CHANGE,
            "its contrast is far above that of the photo": (
                (spreads["restored"] - spreads["blurry"]).mean(1) > _LARGEST_CONTRAST
            ),
        }
        first = next((reason for reason, is_true in reasons.items() if bool(is_true.any())), "")
        doubts = (f"the answer was wrong ({first}), so the photo is returned unchanged",) if first else ()
        return torch.stack(list(reasons.values())).any(0), doubts
