"""The estimate of a large photo's blur, first where the photo is small."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from torch import Tensor

from unblur.methods.base import StepHook, ignore_step
from unblur.methods.kernel_method import BlurEstimate
from unblur.methods.options import RestoreOptions
from unblur.methods.reduced_size import Size, enlarge_kernel, extent_of, size_of

__all__ = ["NetworkLooker"]

_SAME = 0.2
"""Share by which the extents of two kernels of one blur may differ."""
_DIFFERS = "the blur at the photo's larger size is not that at the smaller one; the photo is returned as it was"


@dataclass(frozen=True)
class NetworkLooker:
    """A `Looker`: what a network finds at a larger size counts if it is the same blur.

    Attributes:
        estimate: Of a photo at any size.
    """

    estimate: Callable[[Tensor, RestoreOptions, StepHook], BlurEstimate]

    def find(self, blurry: Tensor, options: RestoreOptions, on_step: StepHook = ignore_step) -> BlurEstimate:
        """See `Looker.find`."""
        return self.estimate(blurry, options, on_step)

    def find_again(
        self, found: BlurEstimate, size: Size, blurry: Tensor, options: RestoreOptions, on_step: StepHook = ignore_step
    ) -> BlurEstimate:
        """See `Looker.find_again`."""
        finer = self.estimate(blurry, options, on_step)
        if found.kernel is None or finer.kernel is None:
            return finer
        before = extent_of(enlarge_kernel(found.kernel, size, size_of(blurry)))
        differs = abs(extent_of(finer.kernel) / before - 1) > _SAME
        return replace(finer, refusal=_DIFFERS) if differs else finer

    def is_sure(self, found: BlurEstimate) -> bool:
        """Whether there is a kernel that nothing speaks against."""
        return found.kernel is not None and not found.refusal

    def extent_of(self, found: BlurEstimate) -> float:
        """See `Looker.extent_of`."""
        return 0.0 if found.kernel is None else extent_of(found.kernel)

    def join_unsure(self, found: BlurEstimate, finer: BlurEstimate) -> BlurEstimate:
        """What was found at the larger size."""
        del found
        return finer
