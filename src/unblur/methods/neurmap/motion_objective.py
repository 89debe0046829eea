"""The motion network M alone, on pairs: a start for NeurMAP that is short of steps.

A batch holds `blurry` and `sharp`, each `(B, 3, H, W)` in [0, 1], with sides that are multiples of 16, and where the
true motion is known, `lines` `(B, 2, H, W)`: along which straight line each pixel is blurred, (right, down) in pixels.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d

from unblur.methods.neurmap.model import start_from
from unblur.methods.neurmap.motion import MotionNet, canonical, from_motion_field, to_motion_field
from unblur.methods.neurmap.motion_terms import Maps, motion_terms
from unblur.methods.neurmap.presets import PRESETS
from unblur.methods.neurmap.reblur import reblur
from unblur.metrics.psnr import validation_psnr

__all__ = ["MotionObjective", "turn_to_best"]

Batch = Mapping[str, Tensor]

_NOT_HERE = "motion_of_restored"
"""The term that draws what M sees in answers to what it sees in photos; a sharp photo has no such rest."""
_TURN = 0.05
"""Weight of `motion_turn`, which is 0 where M has the direction right."""
_TURNS = 4
"""Directions that are tried in a step, evenly over the half circle, from a random one on."""
_TINY = 1e-6
"""Keeps the gradient of a length of 0 finite."""
_NEIGHBOURS = 33
"""Side in pixels of the square over which reblurring errors are compared."""


class MotionObjective(nn.Module):
    """M alone: on pairs whose motion is known, by that motion; on other pairs, by reblurring.

    By reblurring, the terms are M's own with the true sharp photo as the answer: moved along what M sees, it must be
    the blurry photo. The released code, too, starts its training without pairs from an M that was trained before (after
    Zhang et al., "Exposure trajectory recovery from motion blur", TPAMI 2021). Descent alone then finds how long a
    motion is and not where it goes: a line that is turned by more than a few degrees explains a photo no worse than one
    turned by ninety, so there is nothing to descend. So four other directions are tried in each step, and M is drawn to
    the best (`motion_turn`).

    Known motion gives the direction at once, and costs a tenth of the time (`motion_known`). A line and its reverse
    blur alike, so M may give either. Sharp photos are samples whose lines are 0; if half of all were, M would begin by
    seeing nothing in any and stay there.

    Args:
        start_weights: Weights to start from, see `start_from`; empty: from scratch.

    Raises:
        CheckpointError: No such weights, or those of another network.
    """

    def __init__(self, *, start_weights: str = "") -> None:
        super().__init__()
        self.network = MotionNet()
        if start_weights:
            start_from(start_weights, self.network, "motion")
        own = {name: weight for name, weight in PRESETS["code"].items() if name.startswith("motion_")}
        self.term_weights = {name: weight for name, weight in own.items() if name != _NOT_HERE}
        self.term_weights |= {"motion_turn": _TURN, "motion_known": 1.0}

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """The terms, each a mean over the batch."""
        if "lines" in batch:
            seen = canonical(self.network(batch["blurry"])).float()
            return {"motion_known": _distance(seen, from_motion_field(batch["lines"])).mean()}
        of_blurry, of_sharp = self._see(batch)
        terms = motion_terms(Maps(of_blurry, of_sharp, of_sharp), batch["blurry"], batch["sharp"])
        turned = turn_to_best(of_blurry.detach().float(), batch, float(torch.rand(())) * math.pi / _TURNS)
        return terms | {"motion_turn": (of_blurry - turned).abs().mean()}

    def project(self) -> None:
        """Nothing is bounded."""

    @torch.no_grad()
    def evaluate(self, batch: Batch) -> dict[str, Tensor]:
        """PSNR of the reblurred photo, and by how much it is nearer than the sharp one, in dB, each `(B,)`.

        Where the true motion is known, `motion_missed`, too: by how many pixels M missed it, on average.
        """
        near, far = (validation_psnr(image, batch["blurry"]) for image in (self._reblur(batch), batch["sharp"]))
        scores = {"reblurred_psnr": near, "reblurred_gain": near - far}
        if "lines" in batch:
            missed = to_motion_field(self._see(batch)[0]).float(), batch["lines"]
            scores["motion_missed"] = _distance(*missed).mean((1, 2))
        return scores

    @torch.no_grad()
    def pictures(self, batch: Batch) -> dict[str, Tensor]:
        """Blurry, reblurred and sharp side by side `(B, 3, H, 3 W)`."""
        row = torch.cat((batch["blurry"], self._reblur(batch), batch["sharp"]), 3)
        return {"blurry, reblurred, sharp": row.clamp(0, 1)}

    def metadata(self) -> dict[str, str]:
        """What an exported file says of itself."""
        return {"method": "neurmap", "arch": "neurmap-motion"}

    def _see(self, batch: Batch) -> tuple[Tensor, Tensor]:
        return canonical(self.network(batch["blurry"])), canonical(self.network(batch["sharp"]))

    def _reblur(self, batch: Batch) -> Tensor:
        of_blurry, of_sharp = self._see(batch)
        return reblur(batch["sharp"], of_blurry - of_sharp)


@torch.no_grad()
def turn_to_best(motion: Tensor, batch: Batch, first: float) -> Tensor:
    """A map in whose neighbourhoods the direction is the one, of its own and four others, that explains the photo best.

    Args:
        motion: (down, right), `(B, 2, H, W)`.
        batch: The blurry photo and its sharp one.
        first: Angle in radians of the first direction that is tried; how long a motion is, stays.
    """
    length = motion.norm(dim=1, keepdim=True)
    angles = (first + place * math.pi / _TURNS for place in range(_TURNS))
    others = [length * motion.new_tensor([math.sin(angle), math.cos(angle)]).view(1, 2, 1, 1) for angle in angles]
    choices = [motion, *(canonical(other) for other in others)]
    errors = [_error_around(reblur(batch["sharp"], choice), batch["blurry"]) for choice in choices]
    best = torch.cat(errors, 1).argmin(1, keepdim=True).unsqueeze(1)
    return torch.stack(choices, 1).take_along_dim(best.expand(-1, 1, 2, -1, -1), 1).squeeze(1)


def _distance(motion: Tensor, true: Tensor) -> Tensor:
    """How far each vector is from the true one or its reverse, whichever is nearer: `(B, H, W)`."""
    return torch.minimum(_length(motion - true), _length(motion + true))


def _length(motion: Tensor) -> Tensor:
    return (motion.square().sum(1) + _TINY).sqrt()


def _error_around(image: Tensor, blurry: Tensor) -> Tensor:
    squares = (image - blurry).square().mean(1, keepdim=True)
    return avg_pool2d(squares, _NEIGHBOURS, 1, _NEIGHBOURS // 2, count_include_pad=False)
