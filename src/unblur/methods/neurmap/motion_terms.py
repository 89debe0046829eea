"""What the motion network M learns (Eqs. 4 to 6 and 10, in the form of the released code)."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor

from unblur.losses.content import mean_square
from unblur.losses.smoothness import total_variation
from unblur.losses.structure import ms_ssim_loss
from unblur.methods.neurmap.motion import REACH
from unblur.methods.neurmap.reblur import MOMENTS, Outside, offset_shares, reblur

__all__ = ["Maps", "motion_terms"]

_SPREAD = sum(abs(share) for share in offset_shares()) / MOMENTS
_SQUARE = sum(share**2 for share in offset_shares()) / MOMENTS
"""Means over the frames of an exposure: what makes of a map the offsets in pixels that the released code measures."""


class Maps(NamedTuple):
    """What M sees, `(B, 2, H, W)` each, with one of the two directions chosen.

    Attributes:
        blurry: Motion in blurry photos.
        sharp: Motion in sharp photos, which need not show the same scenes.
        restored: Motion in the answers to the blurry photos.
    """

    blurry: Tensor
    sharp: Tensor
    restored: Tensor


def motion_terms(
    maps: Maps, blurry: Tensor, restored: Tensor, *, repeat_coarsest: bool = False, outside: Outside = "black"
) -> dict[str, Tensor]:
    """The terms by name: of blurry photos M sees 40 pixels, of sharp ones nothing, and the rest of answers.

    Args:
        maps: Motion of the images below, and of sharp ones.
        blurry: `(B, 3, H, W)` in [0, 1].
        restored: The answers; they get no gradient.
        repeat_coarsest: See `losses.structure`.
        outside: See `reblur`.
    """
    relative = maps.blurry - maps.restored
    again = reblur(restored, relative, outside=outside)
    longer = maps.restored.norm(dim=1) - maps.blurry.norm(dim=1)
    structure = ms_ssim_loss(again, blurry, repeat_coarsest=repeat_coarsest)
    return {
        "motion_reblur": mean_square(again, blurry).mean(),
        "motion_structure": structure.mean().to(again.dtype),
        "motion_of_blurry": (maps.blurry.abs() - 1).abs().mean(),
        "motion_of_restored": (maps.restored - maps.blurry.detach()).abs().mean(),
        "motion_of_sharp": maps.sharp.abs().mean(),
        # An answer has less motion than its photo; in the released code, not in the paper.
        "motion_hinge": longer.clamp_min(0).mean(),
        "motion_smooth": REACH * _SPREAD * total_variation(relative).mean(),
        "motion_size": REACH**2 * _SQUARE * relative.square().mean(),
    }
