"""The most probable sharp photo, given a blurry one and its motion: Eq. 2 of NeurMAP at the time of use.

Training makes a network's answers probable on average. Here the answer to one photo is made more probable by descent
on what explains it: moved along the motion that M sees, it must be the photo again (Eq. 4), and sharp photos have few
edges.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from unblur.losses.smoothness import total_variation
from unblur.methods.neurmap.reblur import reblur
from unblur.solvers.descent import AdamDescent

__all__ = ["descend_along_motion"]

_EDGES = 4e-3
"""Weight of the total variation beside the mean squared error of reblurring: twice as much is nearer to the truth on
average and looks smoothed."""
_RATE = 0.03
"""First rate of Adam, in units of intensity."""
_TRUST = 4
"""A pixel counts by the share of its line that lies inside the photo, to this power."""


def descend_along_motion(
    blurry: Float[Tensor, "1 c h w"],
    start: Float[Tensor, "1 c h w"],
    motion: Float[Tensor, "1 2 h w"],
    steps: int,
    on_step: Callable[[int], None],
) -> Float[Tensor, "1 c h w"]:
    """The photo behind a blurry one, in [0, 1].

    Args:
        blurry: The photo.
        start: Where to begin, such as a network's answer.
        motion: As `MotionNet` gives it; it stays as it is.
        steps: Steps of descent.
        on_step: Called with the number of each step that is done.
    """
    trust = reblur(torch.ones_like(blurry[:, :1]), motion).pow(_TRUST)

    def objective(latent: Tensor) -> Tensor:
        missed = (trust * (reblur(latent, motion, outside="border") - blurry).square()).mean()
        return missed + _EDGES * total_variation(latent).mean()

    return AdamDescent(objective, start, rate=_RATE, steps=steps).run(on_step).clamp(0, 1)
