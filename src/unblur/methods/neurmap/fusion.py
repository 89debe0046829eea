"""The network's answer and that of descent in one image: each is right where the other is not.

Descent along straight lines takes away long blur that is one, and makes edges of everything else; a network that has
learned on moving scenes is careful. A third, small network sees both beside the photo and the motion, and takes of
descent what it has learned to trust. Neither the paper nor its code has one.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from unblur.backbones.folded import FoldedNet

__all__ = ["FusionNet"]

_COLOURS = 3
_CHANGE_SCALE = 5.0
"""Brings what has changed against the photo to the size of the other inputs."""
_CLOSED = 2.0
"""A new network takes 12% of what descent changes."""

Images = Float[Tensor, "b 3 h w"]


class FusionNet(FoldedNet):
    """Weighs two answers to one photo, pixel by pixel, and adds what both lack."""

    def __init__(self) -> None:
        super().__init__(
            3 * _COLOURS + 2, 0, _COLOURS + 1, channels=48, depth=8, coarse_channels=96, coarse_depth=4, coarse_levels=2
        )

    def forward(self, seen: Float[Tensor, "b 11 h w"]) -> Images:
        """The image of both, not clamped; see `stack`."""
        blurry, restored, descended = seen[:, : 3 * _COLOURS].split(_COLOURS, dim=1)
        changes = [_CHANGE_SCALE * (image - blurry) for image in (restored, descended)]
        found = self.run(torch.cat([blurry, *changes, seen[:, 3 * _COLOURS :]], 1))
        gate = torch.sigmoid(found[:, _COLOURS:] - _CLOSED)
        return restored + gate * (descended - restored) + found[:, :_COLOURS]

    @staticmethod
    def stack(
        blurry: Images, restored: Images, descended: Images, motion: Float[Tensor, "b 2 h w"]
    ) -> Float[Tensor, "b 11 h w"]:
        """What the network sees, in one.

        Args:
            blurry: The photo, in [0, 1]; sides are multiples of 8.
            restored: The network's answer, in [0, 1].
            descended: What descent made of it, see `descend_along_motion`.
            motion: That it followed, as `MotionNet` gives it.
        """
        return torch.cat([blurry, restored, descended, motion], 1)
