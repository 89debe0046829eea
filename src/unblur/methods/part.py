"""The part of a photo that is restored where the caller names one; the rest comes back as it was."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - the name that everyone gives it
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from unblur.images.picture import Picture
from unblur.images.tensors import resized
from unblur.methods.base import Restoration, Step, StepHook
from unblur.methods.options import Region, RestoreOptions

__all__ = ["Part", "choose_part"]

_FEATHER = 6
"""Pixels from the edge of the part inwards over which the restored image takes the place of the photo."""


@dataclass(frozen=True)
class Part:
    """A rectangle of the photo that a method restores, and how much of its answer is taken.

    Attributes:
        box: The rectangle, inside the photo.
        weight: `(1, 1, box height, box width)`: 0 where the photo stays, 1 where the answer takes its place.
    """

    box: Region
    weight: Float[Tensor, "1 1 h w"]

    def cut(self, image: Tensor) -> Tensor:
        """The rectangle of `(..., H, W)`, a view."""
        return image[..., self.rows, self.columns]

    @property
    def rows(self) -> slice:
        """The rows of the photo that the rectangle takes."""
        return slice(self.box.y, self.box.y + self.box.height)

    @property
    def columns(self) -> slice:
        """The columns of the photo that the rectangle takes."""
        return slice(self.box.x, self.box.x + self.box.width)

    def paste(self, restored: Tensor, photo: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        """The photo with the restored rectangle in it; where the weight is 0, it has the photo's own values."""
        weight, whole = self.weight.to(photo), photo.clone()
        own = self.cut(photo)
        whole[..., self.rows, self.columns] = torch.where(weight > 0, torch.lerp(own, restored.to(own), weight), own)
        return whole

    def complete(self, answer: Restoration[Tensor], photo: Float[Tensor, "b c h w"]) -> Restoration[Tensor]:
        """The answer to the rectangle as one to the photo; no motion is stated for the rest."""
        field, (height, width) = answer.motion_field, photo.shape[-2:]
        around = (self.box.x, width - self.columns.stop, self.box.y, height - self.rows.stop)
        return replace(
            answer,
            image=self.paste(answer.image, photo),
            motion_field=None if field is None else F.pad(field, around),
            facts={**answer.facts, "part": str(self.box)},
        )

    def show_whole(self, on_step: StepHook, photo: Tensor) -> StepHook:
        """The same hook, but it sees previews of the rectangle within the photo."""

        def on_part(step: Step) -> None:
            on_step(step.with_preview(lambda shown: self.paste(resized(shown, self.box.height, self.box.width), photo)))

        return on_part

    def limit(self, options: RestoreOptions) -> RestoreOptions:
        """The options for the rectangle alone, with the mask of what is meant in it."""
        mask = None if options.mask is None else options.mask[self.rows, self.columns]
        if mask is not None and mask.all():
            mask = None
        region = options.region and options.region.within(self.box)
        return replace(options, only_region=None, mask=mask, region=region)

    def keep_rest(self, restored: Picture, photo: Picture) -> Picture:
        """The restored picture with the stored values of the photo wherever the weight is 0, bit for bit."""
        taken = np.zeros((photo.height, photo.width, 1), dtype=bool)
        taken[self.rows, self.columns, 0] = (self.weight[0, 0] > 0).cpu().numpy()
        return restored.with_colour(np.where(taken, restored.colour, photo.colour))


def choose_part(options: RestoreOptions, height: int, width: int) -> Part | None:
    """The part that the options name in a photo of this size; None: all of it.

    Args:
        options: They fit the photo, see `check_fit`.
        height: Of the photo.
        width: Of the photo.
    """
    if not options.names_part:
        return None
    meant = np.ones((height, width), dtype=bool) if options.mask is None else options.mask
    if options.only_region is not None:
        x, y, across, down = options.only_region
        inside = np.zeros_like(meant)
        inside[y : y + down, x : x + across] = True
        meant = meant & inside
    box = _bounds(meant)
    weight = _feathered(torch.from_numpy(meant.copy())[None, None].float())
    part = Part(box, weight)
    return replace(part, weight=part.cut(weight))


def _bounds(meant: NDArray[Any]) -> Region:
    """The smallest rectangle that holds all marked pixels."""
    rows, columns = np.flatnonzero(meant.any(1)), np.flatnonzero(meant.any(0))
    return Region(int(columns[0]), int(rows[0]), int(columns[-1] - columns[0]) + 1, int(rows[-1] - rows[0]) + 1)


def _feathered(meant: Float[Tensor, "1 1 h w"]) -> Float[Tensor, "1 1 h w"]:
    """Weights that rise from the edge of the marked pixels inwards; the borders of the photo are no such edge."""
    total, left = torch.zeros_like(meant), meant
    for _ in range(_FEATHER):
        total = total + left
        left = -F.max_pool2d(-left, 3, 1, 1)
    share = total / _FEATHER
    return share * share * (3 - 2 * share)
