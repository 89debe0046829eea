"""The kernel of a photo of any size: searched where the photo is small, looked at again where it is larger."""

from __future__ import annotations

from dataclasses import replace

from unblur.images.large import Image, brightness_of
from unblur.methods.base import StepHook, ignore_step, steps_of_part
from unblur.methods.kernel_search.search import Finding, find_kernel, search_larger
from unblur.methods.kernel_search.settings import SearchSettings
from unblur.methods.options import RestoreOptions
from unblur.methods.reduced_size import Size, enlarge_kernel, extent_of, size_of

__all__ = ["KernelFinder"]

_SAME = 0.1
"""Share by which the extents of two kernels of one blur may differ. A search at the larger size often ends at a kernel
that is far too small and makes a sparser answer all the same."""


class KernelFinder:
    """A `Looker` that scores answers by rules.

    Args:
        settings: Of the search.
        second_pass: See `find_kernel`.
    """

    def __init__(self, settings: SearchSettings, *, second_pass: bool) -> None:
        self.settings, self.second_pass = settings, second_pass

    def find(self, blurry: Image, options: RestoreOptions, on_step: StepHook = ignore_step) -> Finding:
        """See `Looker.find`."""
        return find_kernel(brightness_of(blurry), self.settings, options, on_step, second_pass=self.second_pass)

    def find_again(
        self, found: Finding, size: Size, blurry: Image, options: RestoreOptions, on_step: StepHook = ignore_step
    ) -> Finding:
        """See `Looker.find_again`."""
        larger = replace(found, kernel=enlarge_kernel(found.kernel, size, size_of(blurry)))
        grey = brightness_of(blurry)
        first, second = (steps_of_part(on_step, number, 2) for number in range(2))
        again = search_larger(grey, larger, self.settings, options, first)
        anew = self.find(blurry, replace(options, encoding=found.encoding), second)
        return anew if self._is_finer(anew, again) else again

    def _is_finer(self, anew: Finding, again: Finding) -> bool:
        """Whether a kernel that was searched at the larger size is a better one of the same blur."""
        agrees = abs(extent_of(anew.kernel) / extent_of(again.kernel) - 1) <= _SAME
        return self.is_sure(anew) and agrees and min(anew.scores) < min(again.scores)

    def is_sure(self, found: Finding) -> bool:
        """Whether nothing speaks against the kernel."""
        return found.fault is None

    def extent_of(self, found: Finding) -> float:
        """See `Looker.extent_of`."""
        return extent_of(found.kernel)

    def join_unsure(self, found: Finding, finer: Finding) -> Finding:
        """What was found at the larger size."""
        del found
        return finer
