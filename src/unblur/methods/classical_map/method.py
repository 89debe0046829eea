"""The method `map`."""

from __future__ import annotations

from dataclasses import replace

import torch
import torch.nn.functional as F  # noqa: N812 - the name that everyone gives it
from torch import Tensor

from unblur.methods.base import Restoration, Step, Task, Traits
from unblur.methods.classical_map.refine import refine
from unblur.methods.classical_map.search import SEARCH_SHARE, Finding, find_kernel
from unblur.methods.classical_map.settings import MapSettings
from unblur.solvers.photo import restore_with_kernel

__all__ = ["ClassicalMap"]

_LUMA = (0.299, 0.587, 0.114)
_CUT = "the blur may be larger than the box it was searched in; a larger --kernel-size may do better"


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
        if task.kernel is not None:
            finding = Finding(task.kernel, task.light)
        else:
            finding = find_kernel(_brightness(blurry), self.settings, task)
        if finding.fault is not None:
            task.on_step(Step(1.0, "no blur to remove"))
            sentence = f"the blur {finding.fault}; the photo is returned as it was"
            return Restoration(image=blurry, kernel=finding.kernel, warnings=(sentence,))
        done = 0.0 if task.kernel is not None else SEARCH_SHARE
        image, light = restore_with_kernel(
            blurry,
            finding.kernel,
            solver=self.settings.solver,
            smoothness=self.settings.smoothness,
            light=finding.light,
            on_progress=lambda share: task.on_step(Step(done + (1 - done) * share, "restoring the photo")),
        )
        if self.settings.refine == "golf":
            image = refine(blurry, finding.kernel, image, light=light)
        return Restoration(
            image=image,
            kernel=finding.kernel,
            history={"score": list(finding.scores)},
            warnings=(_CUT,) if finding.cut else (),
            facts={"light": light, "hypothesis": finding.hypothesis},
        )


def _brightness(photo: Tensor) -> Tensor:
    if photo.shape[1] != len(_LUMA):
        return photo.mean(1, keepdim=True)
    return (photo * photo.new_tensor(_LUMA).view(1, -1, 1, 1)).sum(1, keepdim=True)


def _in_box(kernel: Tensor, side: int) -> Tensor:
    margin = (side - kernel.shape[-1]) // 2
    return F.pad(kernel, (margin,) * 4)
