"""Losses that a teacher adds."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from unblur.losses.structure import ssim_loss
from unblur.methods.optimisation.teachers import Teacher, check_differentiable
from unblur.methods.selfdeblur.settings import WeakSettings

__all__ = ["WeakLosses"]

_DOUBT = 0.02
"""A misfit of this much takes a factor e off the teacher's say."""

Grey = Float[Tensor, "1 1 h w"]
Reblur = Callable[[Grey], Grey]


@dataclass(frozen=True)
class _Seen:
    """Answers of the networks at one step."""

    image: Grey
    reblurred: Grey
    reblur: Reblur


class WeakLosses:
    """The terms of one photo.

    Args:
        settings: Weights and when they hold.
        teacher: Asked during the run if the settings say so.
        blurry: Brightness of the photo.
        taught: Brightness of the teacher's answer to it.
        border: Pixels on each side that are not compared with it: (rows, columns).

    Raises:
        SettingsError: The teacher is to be learned through and has no gradient.
    """

    def __init__(
        self, settings: WeakSettings, teacher: Teacher, blurry: Grey, taught: Grey, border: tuple[int, int]
    ) -> None:
        if settings.rec > 0:
            check_differentiable(teacher)
        self._settings, self._teacher, self._blurry, self._taught = settings, teacher, blurry, taught
        self._border = border
        # What the teacher makes of its own answer, to which the literal reading compares.
        asks_twice = teacher.is_differentiable and settings.reading == "literal"
        self._target = teacher.apply(taught) if asks_twice else taught
        self._seen: _Seen | None = None

    def weight_at(self, share: float) -> float:
        """Weight of the difference to the teacher's image at a share of the run: half a cosine down to 0."""
        settings = self._settings
        if settings.weak_until == 0:
            return settings.weak
        return settings.weak * (1 + math.cos(math.pi * min(share / settings.weak_until, 1))) / 2

    def terms(self, image: Grey, reblurred: Grey, reblur: Reblur, *, step: int, share: float) -> dict[str, Tensor]:
        """The terms of the loss by name, each with its weight; those that do not count at this step are left out.

        Args:
            image: Image of the image network.
            reblurred: That image blurred by the kernel network's kernel.
            reblur: Blurs any image with that kernel, continued beyond its border.
            step: Counted from 0.
            share: Share of the run that is over.
        """
        self._seen = _Seen(image.detach(), reblurred.detach(), reblur)
        terms: dict[str, Tensor] = {}
        weight = self.weight_at(share)
        if weight > 0:
            terms["weak"] = weight * self._difference_to_teacher(image, reblur)
        settings = self._settings
        if settings.rec > 0 and share >= settings.rec_from and step % settings.rec_every == 0:
            terms["rec"] = settings.rec * settings.rec_every * self._difference_seen(image, reblurred)
        return terms

    @property
    def can_measure(self) -> bool:
        """Whether the teacher can be asked again and again; others take too long."""
        return self._teacher.is_differentiable

    @torch.no_grad()
    def measure(self) -> float:
        """Distance of the teacher's answer to the latest image from its own answer to the photo; 0: none."""
        seen = self._seen
        return math.inf if seen is None else float(self._difference_seen(seen.image, seen.reblurred))

    def _difference_seen(self, image: Tensor, reblurred: Tensor) -> Tensor:
        shown = image if self._settings.reading == "literal" else reblurred
        return _compare(self._inside(self._teacher.apply(shown)), self._inside(self._target), self._settings.measure)

    def _difference_to_teacher(self, image: Tensor, reblur: Reblur) -> Tensor:
        image, taught = self._inside(image), self._inside(self._taught)
        if not self._settings.confidence:
            return _compare(image, taught, self._settings.measure)
        with torch.no_grad():
            misfit = (reblur(self._taught) - self._blurry).abs()
            trust = self._inside((-misfit / _DOUBT).exp())
        # An image that equals the teacher's where it is not trusted has nothing to learn there.
        return _compare(torch.lerp(taught, image, trust), taught, self._settings.measure)

    def _inside(self, image: Tensor) -> Tensor:
        rows, columns = self._border
        return image[..., rows : image.shape[-2] - rows, columns : image.shape[-1] - columns]


def _compare(image: Tensor, other: Tensor, measure: str) -> Tensor:
    if measure == "l2":
        return (image - other).square().mean()
    absolute = (image - other).abs().mean() if "l1" in measure else image.new_zeros(())
    return absolute + ssim_loss(image, other).mean() if "ssim" in measure else absolute
