"""The method `known-kernel`."""

from __future__ import annotations

import torch
from torch import Tensor

from unblur.errors import KernelError
from unblur.methods.base import Restoration, Step, Task, Traits
from unblur.methods.known_kernel.settings import KnownKernelSettings
from unblur.solvers.photo import restore_with_kernel

__all__ = ["KnownKernel"]


class KnownKernel:
    """Deconvolves the photo with the kernel of the task, and says nothing of its own about the blur."""

    traits = Traits()

    def __init__(self, settings: KnownKernelSettings) -> None:
        self.settings = settings

    def restore(self, blurry: Tensor, task: Task) -> Restoration:
        """See `Method.restore`.

        Raises:
            KernelError: The task has no kernel.
        """
        if task.kernel is None:
            raise KernelError("this method needs the kernel of the blur; give one with --kernel")
        kernel = task.kernel
        # Each photo by itself: its noise, its clipped pixels and its light are its own.
        photos = blurry.split(1)
        answers = [
            restore_with_kernel(
                photo,
                kernel,
                solver=self.settings.solver,
                smoothness=self.settings.smoothness,
                light=task.light,
                on_progress=lambda share, done=done: task.on_step(Step((done + share) / len(photos), "deconvolving")),
            )
            for done, photo in enumerate(photos)
        ]
        lights = ", ".join(dict.fromkeys(light for _, light in answers))
        return Restoration(
            image=torch.cat([image for image, _ in answers]),
            kernel=kernel.expand(len(photos), -1, -1, -1),
            facts={"light": lights},
        )
