"""The method `map`."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F  # noqa: N812 - the name that everyone gives it
from torch import Tensor

from unblur.methods.base import Restoration, Step, Task, Traits
from unblur.methods.classical_map.judge import Judgement, find_fault, judge, touches_box
from unblur.methods.classical_map.pyramid import HYPOTHESES, estimate_kernels
from unblur.methods.classical_map.region import crop_informative
from unblur.methods.classical_map.settings import MapSettings
from unblur.solvers.photo import restore_with_kernel
from unblur.solvers.priors import PRIORS

__all__ = ["ClassicalMap"]

_LUMA = (0.299, 0.587, 0.114)
_SMALLEST_PHOTO = 16
"""Sides in pixels below which no blur can be found."""
_BOX_GROWTH = 1.5
_SEARCH_SHARE = 0.7
"""Share of the work that the search for the kernel is taken to be, for progress."""


@dataclass(frozen=True)
class _Finding:
    """The kernel that was found for one photo, or why none was."""

    kernel: Tensor
    fault: str | None
    scores: tuple[float, ...] = ()
    choice: int = 0


class ClassicalMap:
    """Finds the kernel on the photo's brightness, then deconvolves all channels with it."""

    traits = Traits()

    def __init__(self, settings: MapSettings) -> None:
        self.settings = settings

    def restore(self, blurry: Tensor, task: Task) -> Restoration:
        """See `Method.restore`; each photo of a batch has its own kernel. A kernel in the task is used as it is."""
        answers = [self._restore_one(photo, task) for photo in blurry.split(1)]
        first = answers[0]
        if len(answers) == 1:
            return first
        kernels = [answer.kernel for answer in answers if answer.kernel is not None]
        side = max(kernel.shape[-1] for kernel in kernels)
        return replace(
            first,
            image=torch.cat([answer.image for answer in answers]),
            kernel=torch.cat([_in_box(kernel, side) for kernel in kernels]),
            warnings=tuple(dict.fromkeys(warning for answer in answers for warning in answer.warnings)),
        )

    def _restore_one(self, blurry: Tensor, task: Task) -> Restoration:
        finding = _Finding(task.kernel, None) if task.kernel is not None else self._find(blurry, task)
        if finding.fault is not None:
            task.on_step(Step(1.0, "no blur to remove"))
            sentence = f"the blur {finding.fault}; the photo is returned as it was"
            return Restoration(image=blurry, kernel=finding.kernel, warnings=(sentence,))
        done = 0.0 if task.kernel is not None else _SEARCH_SHARE
        image, light = restore_with_kernel(
            blurry,
            finding.kernel,
            solver=self.settings.solver,
            smoothness=self.settings.smoothness,
            light=task.light,
            on_progress=lambda share: task.on_step(Step(done + (1 - done) * share, "restoring the photo")),
        )
        return Restoration(
            image=image,
            kernel=finding.kernel,
            history={"score": list(finding.scores)},
            facts={"light": light, "hypothesis": finding.choice},
        )

    def _find(self, blurry: Tensor, task: Task) -> _Finding:
        grey = _brightness(blurry)
        if task.region is not None:
            x, y, width, height = task.region
            grey = grey[..., y : y + height, x : x + width]
        if min(grey.shape[-2:]) < _SMALLEST_PHOTO:
            return _Finding(_impulse(grey), "cannot be found on so few pixels")
        if float(grey.amax() - grey.amin()) < 1 / 255:
            return _Finding(_impulse(grey), "cannot be found where there is nothing but one tone")
        limit = min(self.settings.largest_box, min(grey.shape[-2:]) // 2)
        box = _odd(min(task.kernel_size or self.settings.first_box, limit))
        finding = self._search(grey, box, task)
        while task.kernel_size is None and touches_box(finding.kernel) and box < _odd(limit):
            box = _odd(min(box * _BOX_GROWTH, limit))
            finding = self._search(grey, box, task)
        return replace(finding, kernel=_trim(finding.kernel))

    def _search(self, grey: Tensor, box: int, task: Task) -> _Finding:
        """Kernels of all hypotheses in this box, and the best of them."""

        def tell(done: int, rounds: int) -> None:
            task.on_step(Step(_SEARCH_SHARE * done / rounds, "looking for the blur"))

        kernels = estimate_kernels(
            grey,
            box,
            HYPOTHESES[: self.settings.hypotheses],
            PRIORS[self.settings.prior],
            rounds=self.settings.rounds,
            pixels=self.settings.pixels,
            on_round=tell,
        )
        sample = crop_informative(grey, self.settings.pixels, 2 * box)
        judgements = [self._judge(sample, kernel) for kernel in kernels.split(1)]
        scores = tuple(judgement.score for judgement in judgements)
        choice = scores.index(min(scores))
        kernel = kernels[choice : choice + 1]
        return _Finding(kernel, find_fault(kernel, judgements[choice]), scores, choice)

    def _judge(self, sample: Tensor, kernel: Tensor) -> Judgement:
        restored, _ = restore_with_kernel(sample, kernel, light="encoded")
        return judge(sample, kernel, restored)


def _brightness(photo: Tensor) -> Tensor:
    if photo.shape[1] != len(_LUMA):
        return photo.mean(1, keepdim=True)
    return (photo * photo.new_tensor(_LUMA).view(1, -1, 1, 1)).sum(1, keepdim=True)


def _odd(side: float) -> int:
    """The largest odd number not above `side`, at least 3."""
    return max(3, (int(side) - 1) // 2 * 2 + 1)


def _impulse(like: Tensor) -> Tensor:
    kernel = torch.zeros(1, 1, 3, 3, dtype=like.dtype, device=like.device)
    kernel[..., 1, 1] = 1
    return kernel


def _trim(kernel: Tensor) -> Tensor:
    """The kernel in the smallest odd square box around its centre that holds all of it."""
    centre = kernel.shape[-1] // 2
    rows, columns = torch.nonzero(kernel[0, 0], as_tuple=True)
    reach = max(1, int(torch.cat([rows, columns]).sub(centre).abs().max()))
    return kernel[..., centre - reach : centre + reach + 1, centre - reach : centre + reach + 1]


def _in_box(kernel: Tensor, side: int) -> Tensor:
    margin = (side - kernel.shape[-1]) // 2
    return F.pad(kernel, (margin,) * 4)
