"""The method `auto`, the default: search, judge, and only then restore."""

from __future__ import annotations

from functools import partial
from typing import Any

from torch import Tensor

from unblur.errors import CheckpointError
from unblur.images.large import Image
from unblur.methods.auto.description import describe_kernel
from unblur.methods.auto.entry import AUTO
from unblur.methods.auto.improvement import SOLVER, improve_answer
from unblur.methods.auto.judge import share_of_answer
from unblur.methods.auto.networks import load_networks
from unblur.methods.auto.refiner import has_colour
from unblur.methods.auto.settings import AutoSettings
from unblur.methods.auto.verdicts import Verdict, VerdictFinder
from unblur.methods.base import Method, StepHook, Traits, ignore_step
from unblur.methods.kernel_method import BlurEstimate, Improve, KernelMethod, Solving, known_pixels
from unblur.methods.kernel_search.search import BLUR_MAY_BE_LARGER
from unblur.methods.loading import choose_weights, load_method
from unblur.methods.options import BlurEncoding, RestoreOptions
from unblur.methods.reduced_size import Size, enlarge_kernel, options_at, size_of
from unblur.methods.sizes import SizePlan, look_by_size, plan_looks
from unblur.weights.checkpoint import Checkpoint

__all__ = ["SIZES", "Auto"]

SIZES = SizePlan(large=450_000, small=400_000, searched=1_100_000, restored=4_000_000)
"""What is not found on 1.1 megapixels is slight, and a sharp photo of many pixels is often soft, as if it were blurred:
four of twelve sharp photos of BSDS500, enlarged to 1.4 megapixels, were changed."""

_UNCHANGED = "the photo is returned as it was"
_LOOKS_SHARP = f"the photo is sharp, or only parts of it or its lights are blurred; {_UNCHANGED}"
_UNSURE = f"no blur was found that is sure to be removed well; {_UNCHANGED}"


class Auto(KernelMethod):
    """Searches the kernel as `map` does, keeps the answer that is predicted to gain most, and refuses doubtful ones.

    Where no kernel explains the photo and it is not sharp, a network for moving scenes restores it, if its weights are
    here.

    Args:
        settings: Its numbers.
        checkpoint: Weights of its networks.

    Raises:
        CheckpointError: Weights of another network.
    """

    traits = Traits(uses=AUTO.uses)
    search_share = 0.7
    leaves_out_overlays = True

    def __init__(self, settings: AutoSettings, checkpoint: Checkpoint) -> None:
        self.settings, self.checkpoint = settings, checkpoint
        networks = load_networks(checkpoint)
        self.verdicts, self.refiner = VerdictFinder(networks.judge, settings), networks.refiner
        self._network: Method | None = None

    def solving(self, options: RestoreOptions) -> Solving:
        """See `KernelMethod.solving`: the quickest one where haste is asked for."""
        return Solving(quick=True) if options.effort == "fast" else Solving(SOLVER)

    def takes_large(self, photo: Size, options: RestoreOptions) -> bool:
        """See `KernelMethod.takes_large`: what is looked at only at reduced sizes, and restored there."""
        return all(look.size != photo for look in plan_looks(photo, SIZES, options))

    def estimate(self, blurry: Image, options: RestoreOptions, on_step: StepHook = ignore_step) -> BlurEstimate:
        """See `KernelMethod.estimate`."""
        verdict, size = look_by_size(blurry, SIZES, self.verdicts, options, on_step)
        if verdict.fault:
            facts = {"found": f"the blur {verdict.fault}: unchanged"}
            return BlurEstimate(None, facts=facts, refusal=f"the blur {verdict.fault}; {_UNCHANGED}")
        if options.force or self.verdicts.is_enough(verdict):
            return self._with_kernel(verdict, size, size_of(blurry), options)
        return self._without_kernel(verdict, options)

    def _with_kernel(self, verdict: Verdict, size: Size, photo: Size, options: RestoreOptions) -> BlurEstimate:
        """The photo deconvolved with the kernel that was found, then refined."""
        candidate = verdict.best[0]
        share = 1.0 if options.force else share_of_answer(verdict.prediction)
        kind = describe_kernel(enlarge_kernel(candidate.kernel, size, photo))
        estimate = BlurEstimate(
            candidate.kernel,
            candidate.encoding,
            improve=self._improver(photo, options),
            share=share,
            sureness=self.verdicts.bound_of(verdict),
            warnings=(BLUR_MAY_BE_LARGER,) if verdict.cut else (),
            facts={
                **verdict.facts(),
                "share": round(share, 2),
                "found": f"{kind}, the same everywhere: map",
                "origin": candidate.origin,
                "hypothesis": candidate.hypothesis,
            },
        )
        return estimate.found_at(size, photo)

    def _improver(self, photo: Size, options: RestoreOptions) -> Improve:
        """Refines an answer to the photo at its own size, which the options are for, or at a reduced one."""

        def improve(blurry: Tensor, kernel: Tensor, encoding: BlurEncoding, answer: Tensor) -> Tensor:
            if not has_colour(blurry):
                return answer
            known = known_pixels(options_at(size_of(blurry), photo, options), blurry)
            return improve_answer(self.refiner, answer, blurry, kernel, encoding=encoding, known=known)

        return improve

    def _without_kernel(self, verdict: Verdict, options: RestoreOptions) -> BlurEstimate:
        """What is done where no kernel is sure to help: a network for a photo that is not sharp, else nothing."""
        facts = verdict.facts()
        if verdict.is_sharp:
            found = {**facts, "found": "sharp, or blurred in parts: unchanged"}
            return BlurEstimate(None, facts=found, refusal=_LOOKS_SHARP, looks_sharp=True)
        name = self.settings.network
        if not name:
            return BlurEstimate(None, facts={**facts, "found": "blur of no certain kind: unchanged"}, refusal=_UNSURE)
        try:
            choose_weights(name)
        except CheckpointError:
            advice = f"{_UNSURE}; if something in it moves, a network may help: unblur weights get {name}"
            return BlurEstimate(None, facts={**facts, "found": "blur of no certain kind: unchanged"}, refusal=advice)
        found = {**facts, "found": f"blur that varies or is of no certain kind: {name}"}
        return BlurEstimate(None, facts=found, restorer=partial(self._run_network, name, options))

    def _run_network(self, name: str, options: RestoreOptions, blurry: Image, on_step: StepHook) -> Any:
        from unblur.methods.pipeline import pass_through  # noqa: PLC0415 - it imports all of the entry point

        if self._network is None:
            self._network = load_method(name)
        limited = options.limited_to(self._network.traits.uses)
        return pass_through(blurry, self._network, limited, on_step).image
