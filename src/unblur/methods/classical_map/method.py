"""The method `map`."""

from __future__ import annotations

from unblur.images.large import Image
from unblur.methods.base import StepHook, Traits, ignore_step
from unblur.methods.classical_map.entry import MAP
from unblur.methods.classical_map.settings import MapSettings
from unblur.methods.kernel_method import BlurEstimate, KernelMethod, Solving
from unblur.methods.kernel_search.answer_quality import LOOKS_SHARP
from unblur.methods.kernel_search.finder import KernelFinder
from unblur.methods.kernel_search.search import BLUR_MAY_BE_LARGER
from unblur.methods.options import RestoreOptions
from unblur.methods.reduced_size import Size, size_of
from unblur.methods.sizes import MEGAPIXEL_SIZES, look_by_size

__all__ = ["ClassicalMap"]


class ClassicalMap(KernelMethod):
    """Finds the kernel on the photo's brightness, then deconvolves all channels with it."""

    traits = Traits(uses=MAP.uses)
    search_share = 0.7
    leaves_out_overlays = True

    def __init__(self, settings: MapSettings) -> None:
        self.settings = settings
        self.finder = KernelFinder(settings, second_pass=settings.second_pass)

    def solving(self, options: RestoreOptions) -> Solving:
        """See `KernelMethod.solving`."""
        del options
        return Solving(self.settings.solver, self.settings.smoothness)

    def takes_large(self, photo: Size, options: RestoreOptions) -> bool:
        """See `KernelMethod.takes_large`: the search reads the most informative part of a photo of any size."""
        del photo, options
        return True

    def estimate(self, blurry: Image, options: RestoreOptions, on_step: StepHook = ignore_step) -> BlurEstimate:
        """See `KernelMethod.estimate`."""
        finding, size = look_by_size(blurry, MEGAPIXEL_SIZES, self.finder, options, on_step)
        refusal = "" if finding.fault is None else f"the blur {finding.fault}; the photo is returned as it was"
        estimate = BlurEstimate(
            finding.kernel,
            finding.encoding,
            refusal=refusal,
            looks_sharp=finding.fault == LOOKS_SHARP,
            sureness=-min(finding.scores, default=0.0),
            history={} if refusal else {"score": list(finding.scores)},
            warnings=(BLUR_MAY_BE_LARGER,) if finding.cut and not refusal else (),
            facts={} if refusal else {"hypothesis": finding.hypothesis},
        )
        return estimate.found_at(size, size_of(blurry))
