"""The most probable sharp photo, given a blurry one and its motion: Eq. 2 of NeurMAP at the time of use.

Training makes a network's answers probable on average. Here the answer to one photo is made more probable by descent
on what explains it: moved along the motion that M sees, it must be the photo again (Eq. 4), and sharp photos have few
edges.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from unblur.losses.smoothness import total_variation
from unblur.methods.neurmap.reblur import MOMENTS, FixedReblur
from unblur.solvers.descent import AdamDescent

__all__ = ["descend_along_motion"]

_EDGES = 4e-3
"""Weight of the total variation beside the mean squared error of reblurring: twice as much is nearer to the truth on
average and looks smoothed."""
_TRUST = 4
"""A pixel counts by the share of its line that lies inside the photo, to this power."""


@dataclass(frozen=True)
class _Stage:
    """Descent at one size.

    Attributes:
        moments: Frames of the exposure.
        rate: First rate of Adam, in units of intensity.
        steps: How many for each step asked for.
        work: Its share of the time.
    """

    moments: int
    rate: float
    steps: float
    work: float


_AT_HALF_SIZE = _Stage(moments=8, rate=0.03, steps=1.0, work=0.35)
_AT_FULL_SIZE = _Stage(moments=MOMENTS, rate=0.02, steps=0.25, work=0.65)


def descend_along_motion(
    blurry: Float[Tensor, "1 c h w"],
    start: Float[Tensor, "1 c h w"],
    motion: Float[Tensor, "1 2 h w"],
    steps: int,
    on_share: Callable[[float], None],
) -> Float[Tensor, "1 c h w"]:
    """The photo behind a blurry one, in [0, 1].

    Descent is quick at half size, where lines are half as long; a few steps at full size add the details.

    Args:
        blurry: The photo; its sides are even.
        start: Where to begin, such as a network's answer.
        motion: As `MotionNet` gives it; it stays as it is.
        steps: Steps of descent at half size; a quarter as many follow at full size.
        on_share: Called after each step with the share of the work that is done.
    """
    coarse = _Problem(_halve(blurry), _halve(motion) / 2, steps)
    before = _halve(start)
    found = coarse.solve(before, _AT_HALF_SIZE, lambda share: on_share(_AT_HALF_SIZE.work * share))
    ahead = start + functional.interpolate(found - before, start.shape[-2:], mode="bicubic")
    fine = _Problem(blurry, motion, steps)
    return fine.solve(ahead.clamp(0, 1), _AT_FULL_SIZE, lambda share: on_share(1 - _AT_FULL_SIZE.work * (1 - share)))


class _Problem(NamedTuple):
    blurry: Tensor
    motion: Tensor
    steps: int

    def solve(self, start: Tensor, stage: _Stage, on_share: Callable[[float], None]) -> Tensor:
        reblur, steps = FixedReblur(self.motion, stage.moments), math.ceil(stage.steps * self.steps)
        trust = reblur(torch.ones_like(self.blurry[:, :1])).pow(_TRUST)

        def objective(latent: Tensor) -> Tensor:
            missed = (trust * (reblur(latent, outside="border") - self.blurry).square()).mean()
            return missed + _EDGES * total_variation(latent).mean()

        descent = AdamDescent(objective, start, rate=stage.rate, steps=steps)
        return descent.run(on_share).clamp(0, 1)


def _halve(image: Tensor) -> Tensor:
    return functional.avg_pool2d(image, 2)
