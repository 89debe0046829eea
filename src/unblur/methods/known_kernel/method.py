"""The method `known-kernel`."""

from __future__ import annotations

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
        image, light = restore_with_kernel(
            blurry,
            task.kernel,
            solver=self.settings.solver,
            smoothness=self.settings.smoothness,
            light=task.light,
            on_progress=lambda share: task.on_step(Step(share, "deconvolving")),
        )
        kernel = task.kernel.expand(blurry.shape[0], -1, -1, -1)
        return Restoration(image=image, kernel=kernel, facts={"light": light})
