"""The method `auto`, the default: search, judge, and only then restore."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial
from typing import Any

from torch import Tensor

from unblur.blur.poses import Place
from unblur.errors import CheckpointError
from unblur.images.large import Image
from unblur.images.tensors import brightness
from unblur.methods.auto.description import describe_kernel
from unblur.methods.auto.entry import AUTO
from unblur.methods.auto.improvement import SOLVER, Improver
from unblur.methods.auto.judge import share_of_answer
from unblur.methods.auto.measures import measure_blur_effect
from unblur.methods.auto.networks import load_networks
from unblur.methods.auto.refiner import has_colour
from unblur.methods.auto.second_fit import fit_to_refined
from unblur.methods.auto.second_look import look_again
from unblur.methods.auto.settings import AutoSettings
from unblur.methods.auto.turning import Turned, find_turn
from unblur.methods.auto.verdicts import Verdict, VerdictFinder, looks_like_night
from unblur.methods.base import Method, StepHook, Traits, ignore_step, steps_of_part
from unblur.methods.kernel_method import BlurEstimate, KernelMethod, Solving
from unblur.methods.kernel_search.search import BLUR_MAY_BE_LARGER
from unblur.methods.loading import choose_weights, load_method
from unblur.methods.options import BlurEncoding, RestoreOptions
from unblur.methods.reduced_size import Size, enlarge_kernel, options_at, size_of, steps_at
from unblur.methods.region import crop_region
from unblur.methods.sizes import JUDGED_SIZES, SHORT_BLUR_SIZES, SizePlan, look_by_size, plan_looks
from unblur.methods.transforms import resample
from unblur.weights.checkpoint import Checkpoint

__all__ = ["Auto"]

_HOPELESS, _CERTAIN = -2.0, 5.0
"""A turn of the camera is looked for where the predicted gain, dB, lies between these: below, no blur explains the
photo, for something in it moves, and above, one kernel does. One of 85 photos of BSDS500 val and train whose camera
turned is below."""
_SURELY = 3.0
"""Predicted gain in dB less its deviation from which answers are refined only if the best effort is asked for: of 152
photos of BSDS500 val 45 are left as they are by it, and all together gain 0.02 dB less."""
_TURN = 0.7
"""Share of the estimate after which it is, for progress."""
_SHARPER = 0.95
"""A blur is short if half the size is sharper, with a blur effect of less than so much of the photo's own. So are 37
of 40 mosaics of BSDS500 val under shake and lines of up to 15 pixels, disks and Gaussians, and 2 of 24 under longer
shake and lines."""
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
        self.second_judge = networks.second_judge
        self._network: Method | None = None

    def solving(self, options: RestoreOptions) -> Solving:
        """See `KernelMethod.solving`: the quickest one where haste is asked for."""
        return Solving(quick=True) if options.effort == "fast" else Solving(SOLVER)

    def takes_large(self, photo: Size, options: RestoreOptions) -> bool:
        """See `KernelMethod.takes_large`: what is looked at only at reduced sizes, and restored there."""
        return all(look.size != photo for look in plan_looks(photo, JUDGED_SIZES, options))

    def estimate(self, blurry: Image, options: RestoreOptions, on_step: StepHook = ignore_step) -> BlurEstimate:
        """See `KernelMethod.estimate`."""
        end = 1.0 if options.effort == "fast" else _TURN
        looking, turning = (steps_of_part(on_step, 0, 1, phase=phase) for phase in ((0.0, end), (end, 1.0)))
        verdict, size = look_by_size(blurry, _plan_for(blurry, options), self.verdicts, options, looking)
        if verdict.fault:
            facts = {"found": f"the blur {verdict.fault}: unchanged"}
            return BlurEstimate(None, facts=facts, refusal=f"the blur {verdict.fault}; {_UNCHANGED}")
        seen, at_size = _at_size(blurry, size), options_at(size, size_of(blurry), options)
        verdict = self.verdicts.look_all_over(self._look_again(verdict, seen, at_size), verdict, seen, at_size)
        turned = self._look_for_turn(blurry, verdict, size, options, turning)
        one_is_enough = self.verdicts.is_enough(verdict)
        if turned is not None and (options.force or turned.is_sure or one_is_enough):
            promised = replace(verdict, predictions=(turned.prediction,), is_refined=False, all_over=None)
            surest = verdict if one_is_enough and verdict.prediction.gain > turned.prediction.gain else promised
            return self._with_turn(turned, surest, size, size_of(blurry), options)
        if options.force or one_is_enough:
            return self._with_kernel(self._fit_again(verdict, seen, at_size), size, size_of(blurry), options)
        return self._without_kernel(verdict, options)

    def _with_kernel(self, verdict: Verdict, size: Size, photo: Size, options: RestoreOptions) -> BlurEstimate:
        """The photo deconvolved with the kernel that was found, then refined."""
        candidate = verdict.best[0]
        share = 1.0 if options.force else share_of_answer(verdict.prediction)
        kind = describe_kernel(enlarge_kernel(candidate.kernel, size, photo))
        estimate = BlurEstimate(
            candidate.kernel,
            candidate.encoding,
            improve=self._improve,
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

    def _improve(
        self,
        blurry: Tensor,
        kernel: Tensor,
        encoding: BlurEncoding,
        answer: Tensor,
        known: Tensor | None,
        *,
        jpeg_coarseness: float | None = None,
    ) -> Tensor:
        """See `BlurEstimate.improve`: refined."""
        if not has_colour(blurry):
            return answer
        return Improver(self.refiner, blurry, known, jpeg_coarseness).improve(answer, kernel, encoding).image

    def _look_again(self, verdict: Verdict, blurry: Tensor, options: RestoreOptions) -> Verdict:
        """The verdict once the best answers are refined, in colour, as they will be; not where haste is asked for."""
        gain, spread = verdict.prediction
        if options.effort == "fast" or (options.effort == "normal" and gain - spread > _SURELY):
            return verdict
        photo = crop_region(blurry, options.region)
        return look_again(verdict, photo, self.second_judge, self.refiner) if has_colour(photo) else verdict

    def _fit_again(self, verdict: Verdict, blurry: Tensor, options: RestoreOptions) -> Verdict:
        """The verdict with its answer's kernel fitted to the refined answer, in colour; not where haste is asked for.

        Nor at night: around lamps, whose light was clipped, the photo is not what the kernel has made.
        """
        photo, (answer, *others) = crop_region(blurry, options.region), verdict.best
        if options.effort == "fast" or answer.origin == "streak" or looks_like_night(photo) or not has_colour(photo):
            return verdict
        kernel = fit_to_refined(self.refiner, photo, answer.kernel, answer.encoding)
        return replace(verdict, best=(replace(answer, kernel=kernel), *others))

    def _look_for_turn(
        self, blurry: Image, verdict: Verdict, size: Size, options: RestoreOptions, on_step: StepHook
    ) -> Turned | None:
        """Whether the camera turned, at the size at which the photo is restored; not where haste is asked for."""
        if options.effort == "fast" or options.region is not None or verdict.is_sharp or not verdict.best:
            return None
        if not _HOPELESS < verdict.prediction.gain < _CERTAIN:
            return None
        hook = steps_at(size, size_of(blurry), on_step)
        return find_turn(brightness(_at_size(blurry, size)), verdict.best[0], hook)

    def _with_turn(
        self, turned: Turned, verdict: Verdict, size: Size, photo: Size, options: RestoreOptions
    ) -> BlurEstimate:
        """The same for a camera that turned; the verdict's prediction is the higher one of both."""
        kernel, degrees = turned.blur.kernel_at(Place(0.0, 0.0)), math.degrees(turned.blur.turn)
        kind = describe_kernel(enlarge_kernel(kernel, size, photo))
        estimate = self._with_kernel(verdict, size, size, options)
        facts = {
            **estimate.facts,
            "found": f"{kind} in the middle, turning by {degrees:.1f} degrees: map",
            "turn_degrees": round(degrees, 2),
        }
        improve = partial(self._improve, jpeg_coarseness=turned.jpeg_coarseness)
        estimate = replace(estimate, kernel=kernel, poses=turned.blur, improve=improve, facts=facts)
        return estimate.found_at(size, photo)

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


def _plan_for(blurry: Image, options: RestoreOptions) -> SizePlan:
    """The sizes to look at: a photo of up to a megapixel at its own size alone, if its blur is short."""
    seen = size_of(blurry) if options.region is None else Size(options.region.height, options.region.width)
    if not JUDGED_SIZES.large < seen.height * seen.width <= SHORT_BLUR_SIZES.large:
        return JUDGED_SIZES
    grey = brightness(crop_region(_at_size(blurry, size_of(blurry)), options.region))
    half = resample(grey, Size(max(1, seen.height // 2), max(1, seen.width // 2)))
    is_short = measure_blur_effect(half) < _SHARPER * measure_blur_effect(grey)
    return SHORT_BLUR_SIZES if is_short else JUDGED_SIZES


def _at_size(blurry: Image, size: Size) -> Tensor:
    """The photo at a size at which it was looked at."""
    return blurry[..., :, :] if size == size_of(blurry) else resample(blurry, size).clamp(0, 1)
