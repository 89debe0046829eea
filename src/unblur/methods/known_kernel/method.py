"""The method `known-kernel`."""

from __future__ import annotations

from unblur.errors import KernelError
from unblur.images.large import Image
from unblur.methods.base import StepHook, Traits, ignore_step
from unblur.methods.kernel_method import BlurEstimate, KernelMethod, Solving
from unblur.methods.known_kernel.entry import KNOWN_KERNEL
from unblur.methods.known_kernel.settings import KnownKernelSettings
from unblur.methods.options import RestoreOptions
from unblur.methods.reduced_size import Size

__all__ = ["KnownKernel"]


class KnownKernel(KernelMethod):
    """Deconvolves the photo with the kernel that the caller gives; each photo of a batch by itself."""

    traits = Traits(uses=KNOWN_KERNEL.uses)

    def __init__(self, settings: KnownKernelSettings) -> None:
        self.settings = settings

    def solving(self, options: RestoreOptions) -> Solving:
        """See `KernelMethod.solving`."""
        del options
        return Solving(self.settings.solver, self.settings.smoothness)

    def takes_large(self, photo: Size, options: RestoreOptions) -> bool:
        """See `KernelMethod.takes_large`: any."""
        del photo, options
        return True

    def estimate(self, blurry: Image, options: RestoreOptions, on_step: StepHook = ignore_step) -> BlurEstimate:
        """There is nothing to estimate.

        Raises:
            KernelError: The caller gives no kernel.
        """
        del blurry, options, on_step
        raise KernelError("this method needs the kernel of the blur; give one with --kernel")
