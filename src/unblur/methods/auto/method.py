"""The method `auto`, the default: search, judge, and only then restore."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from torch import Tensor

from unblur.errors import CheckpointError
from unblur.images.jpeg_traces import estimate_jpeg_coarseness
from unblur.images.tensors import brightness
from unblur.methods.auto.candidates import find_candidates, find_large_candidates
from unblur.methods.auto.description import describe_kernel
from unblur.methods.auto.entry import AUTO
from unblur.methods.auto.improvement import SOLVER, improve_answer
from unblur.methods.auto.judge import GainPrediction
from unblur.methods.auto.measures import AnswerMeasures, measure_photo
from unblur.methods.auto.networks import load_networks
from unblur.methods.auto.refiner import has_colour
from unblur.methods.auto.settings import AutoSettings
from unblur.methods.base import Method, StepHook, Traits, ignore_step, steps_of_part
from unblur.methods.kernel_method import BlurEstimate, KernelMethod, Solving, known_pixels
from unblur.methods.kernel_search.search import BLUR_MAY_BE_LARGER, Candidate, Finding, search_again
from unblur.methods.kernel_search.settings import SearchSettings
from unblur.methods.loading import choose_weights, load_method
from unblur.methods.options import BlurEncoding, Effort, RestoreOptions
from unblur.methods.region import crop_informative, crop_region
from unblur.weights.checkpoint import Checkpoint

__all__ = ["Auto"]

_SAMPLE = 120_000
"""Answers are judged on no more than about so many pixels, the most informative part of the photo."""
_SAMPLE_SIDE = 300
"""And on no smaller side, as far as the photo reaches: twice the largest kernels."""
_UNLIKE = 4.5
"""Standard deviation in dB from which a prediction says nothing: the answer is like none that the judge has learned
from. None of those that it takes on 351 synthetic photos of BSDS500 reaches it."""
_ENOUGH = 3.0
"""Predicted gain in dB less its standard deviation from which no larger kernel is searched."""
_AGAIN = 2
_HOPELESS = -1.0
"""So many of the kernels that were searched go through a second pass, those predicted to gain most, in dB no less."""
_PASSES = 3
_HYPOTHESES: dict[Effort, int] = {"fast": 2, "normal": 4, "best": 4}
_SEARCH_PIXELS: dict[Effort, int] = {"fast": 70_000, "normal": 120_000, "best": 240_000}
_ENCODINGS: tuple[BlurEncoding, ...] = ("linear", "encoded")
"""In this order: cameras blur in linear light, and what is sure to gain there is not searched again."""
_SHARP = 0.3
_NOISY = 0.012
"""A photo is called sharp if its blur effect is below the first and its noise, which makes it look sharp, below the
second: 33 of 48 sharp synthetic photos of BSDS500 are, and 50 of 375 blurred ones."""
_SURELY_SHARP = -2.0
"""A photo that looks sharp is searched on unless every answer is predicted to gain less than this, in dB. Of synthetic
photos of BSDS500 that look so, 10 of 11 that are sharp or hold something moving are not, and 1 of 10 others."""
_DARK = 0.25
_LAMP = 0.995
_LAMPS = 1e-4
"""But not a photo at night, with a median below the first and a share of clipped pixels above the last: streaks of
lamps are sharp edges. 34 of 40 synthetic night photos of BSDS500 are such, and 4 of 40 sharp photos."""
_UNCHANGED = "the photo is returned as it was"
_LOOKS_SHARP = f"the photo is sharp, or only parts of it or its lights are blurred; {_UNCHANGED}"
_UNSURE = f"no blur was found that is sure to be removed well; {_UNCHANGED}"


_NO_GAIN = GainPrediction(0.0, 0.0)


@dataclass(frozen=True)
class _Verdict:
    """The answer of a search that the judge takes for the best, and what it holds of it.

    Attributes:
        candidate: The answer; None: see `fault`.
        prediction: Its gain.
        is_sharp: The photo looks sharp.
        cut: The blur may be larger than the box that it was searched in.
        fault: Why there is no answer, in words that follow "the blur ..."; empty: there is one.
    """

    candidate: Candidate | None = None
    prediction: GainPrediction = _NO_GAIN
    is_sharp: bool = False
    cut: bool = False
    fault: str = ""

    def facts(self) -> dict[str, Any]:
        """What the report says of it."""
        gain, spread = self.prediction
        return {"predicted_gain": round(gain, 2), "predicted_spread": round(spread, 2)}


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
        self.judge, self.refiner = networks.judge, networks.refiner
        self._network: Method | None = None

    def solving(self, options: RestoreOptions) -> Solving:
        """See `KernelMethod.solving`: the quickest one where haste is asked for."""
        return Solving(quick=True) if options.effort == "fast" else Solving(SOLVER)

    def estimate(self, blurry: Tensor, options: RestoreOptions, on_step: StepHook = ignore_step) -> BlurEstimate:
        """See `KernelMethod.estimate`."""
        grey, is_night = brightness(blurry), _is_night(blurry)
        first, *others = _ENCODINGS if options.encoding == "auto" else (options.encoding,)
        count = 1 + len(others)
        verdict = self._search(grey, first, options, steps_of_part(on_step, 0, count), is_night=is_night)
        for number, encoding in enumerate(others, start=1):
            if verdict.fault or self._is_settled(verdict, options):
                break
            part = steps_of_part(on_step, number, count)
            verdict = self._search(grey, encoding, options, part, is_night=is_night)
        if verdict.fault:
            facts = {"found": f"the blur {verdict.fault}: unchanged"}
            return BlurEstimate(None, facts=facts, refusal=f"the blur {verdict.fault}; {_UNCHANGED}")
        if options.force or self._lower_bound(verdict.prediction) >= self.settings.least_gain:
            return self._with_kernel(verdict, known_pixels(options, blurry))
        return self._without_kernel(verdict, options)

    def _search(
        self, grey: Tensor, encoding: BlurEncoding, options: RestoreOptions, on_step: StepHook, *, is_night: bool
    ) -> _Verdict:
        """The best answer of a search, of one for large kernels if it is not sure, and of a second pass from both."""
        settings = self._search_settings(options)
        finding = find_candidates(grey, encoding, options, settings, steps_of_part(on_step, 0, _PASSES))
        if not finding.candidates:
            return _Verdict(fault=finding.fault or "was not found")
        sample = crop_informative(crop_region(grey, options.region), _SAMPLE, _SAMPLE_SIDE)
        measures = AnswerMeasures(measure_photo(sample, estimate_jpeg_coarseness(grey)))
        verdict = self._choose(measures, finding, is_night=is_night)
        surely_sharp = verdict.is_sharp and verdict.prediction.gain < _SURELY_SHARP
        if surely_sharp or options.effort == "fast":
            return verdict
        gain, spread = verdict.prediction
        if gain - spread < _ENOUGH and options.kernel_size is None:
            hook = steps_of_part(on_step, 1, _PASSES)
            large = find_large_candidates(grey, encoding, options, settings, hook)
            finding = replace(large, candidates=(*finding.candidates, *large.candidates))
            verdict = self._choose(measures, finding, is_night=is_night)
        starts = self._worth_a_second_pass(measures, finding)
        if not starts:
            return verdict
        again = search_again(grey, starts, settings, options, steps_of_part(on_step, 2, _PASSES))
        return self._choose(measures, replace(finding, candidates=(*finding.candidates, *again)), is_night=is_night)

    def _worth_a_second_pass(self, measures: AnswerMeasures, finding: Finding) -> list[Candidate]:
        """The best kernels of the search, as far as anything can be expected of them."""
        predictions = self.judge.predict(measures.measure(finding.candidates))
        both = zip(predictions, finding.candidates, strict=True)
        searched = [(prediction.gain, one) for prediction, one in both if one.origin == "search"]
        searched.sort(key=lambda pair: pair[0], reverse=True)
        return [one for gain, one in searched[:_AGAIN] if gain > _HOPELESS]

    def _choose(self, measures: AnswerMeasures, finding: Finding, *, is_night: bool) -> _Verdict:
        candidates = finding.candidates
        predictions = self.judge.predict(measures.measure(candidates))
        bounds = [self._lower_bound(one) for one in predictions]
        best = bounds.index(max(bounds))
        values = measures.photo.values
        is_sharp = not is_night and values["blur_effect"] < _SHARP and values["log_noise"] < math.log(_NOISY)
        return _Verdict(candidates[best], predictions[best], is_sharp=is_sharp, cut=finding.cut)

    def _is_settled(self, verdict: _Verdict, options: RestoreOptions) -> bool:
        """Whether another encoding need not be searched."""
        sure = self._lower_bound(verdict.prediction) >= self.settings.least_gain
        return sure or verdict.is_sharp or options.force or options.effort == "fast"

    def _search_settings(self, options: RestoreOptions) -> SearchSettings:
        return SearchSettings(hypotheses=_HYPOTHESES[options.effort], pixels=_SEARCH_PIXELS[options.effort])

    def _lower_bound(self, prediction: GainPrediction) -> float:
        gain, spread = prediction
        return gain - self.settings.caution * spread if spread < _UNLIKE else -math.inf

    def _with_kernel(self, verdict: _Verdict, known: Tensor | None) -> BlurEstimate:
        """The photo deconvolved with the kernel that was found, then refined where it is `known`."""
        candidate = verdict.candidate
        if candidate is None:
            return BlurEstimate(None, refusal=_UNSURE)
        return BlurEstimate(
            candidate.kernel,
            candidate.encoding,
            improve=partial(self._improve, known),
            sureness=self._lower_bound(verdict.prediction),
            warnings=(BLUR_MAY_BE_LARGER,) if verdict.cut else (),
            facts={
                **verdict.facts(),
                "found": f"{describe_kernel(candidate.kernel)}, the same everywhere: map",
                "origin": candidate.origin,
                "hypothesis": candidate.hypothesis,
            },
        )

    def _improve(
        self, known: Tensor | None, blurry: Tensor, kernel: Tensor, encoding: BlurEncoding, answer: Tensor
    ) -> Tensor:
        if not has_colour(blurry):
            return answer
        return improve_answer(self.refiner, answer, blurry, kernel, encoding=encoding, known=known)

    def _without_kernel(self, verdict: _Verdict, options: RestoreOptions) -> BlurEstimate:
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
            advice = f"{_UNSURE}; a network for moving scenes may help: unblur weights get {name}"
            return BlurEstimate(None, facts={**facts, "found": "blur of no certain kind: unchanged"}, refusal=advice)
        found = {**facts, "found": f"blur that varies or is of no certain kind: {name}"}
        return BlurEstimate(None, facts=found, restorer=partial(self._run_network, name, options))

    def _run_network(self, name: str, options: RestoreOptions, blurry: Tensor, on_step: StepHook) -> Tensor:
        from unblur.methods.pipeline import pass_through  # noqa: PLC0415 - it imports all of the entry point

        if self._network is None:
            self._network = load_method(name)
        limited = options.limited_to(self._network.traits.uses)
        return pass_through(blurry, self._network, limited, on_step).image


def _is_night(blurry: Tensor) -> bool:
    """Whether a photo is dark and holds clipped lights."""
    clipped = (blurry >= _LAMP).any(1)
    return float(brightness(blurry).median()) < _DARK and float(clipped.float().mean()) > _LAMPS
