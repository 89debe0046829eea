"""What a search comes to in the eyes of the judge: the best answer to a photo and what is expected of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from unblur.images.jpeg_traces import estimate_jpeg_coarseness
from unblur.images.tensors import brightness
from unblur.methods.auto.candidates import find_candidates, find_large_candidates, read_off
from unblur.methods.auto.judge import GainPrediction, Judge, best_of, lower_bound
from unblur.methods.auto.measures import AnswerMeasures, measure_photo
from unblur.methods.auto.settings import AutoSettings
from unblur.methods.base import StepHook, ignore_step, steps_of_part
from unblur.methods.kernel_search.search import Candidate, Finding, search_again
from unblur.methods.kernel_search.settings import SearchSettings
from unblur.methods.options import BlurEncoding, Effort, RestoreOptions
from unblur.methods.reduced_size import Size, enlarge_kernel, extent_of, size_of
from unblur.methods.region import crop_informative, crop_region
from unblur.methods.sizes import JUDGED_SIZES
from unblur.system.threads import Job, run_side_by_side

__all__ = ["Verdict", "VerdictFinder", "looks_like_night"]

_SAMPLE = 120_000
"""Answers are judged on no more than about so many pixels, the most informative part of the photo."""
_SAMPLE_SIDE = 300
"""And on no smaller side, as far as the photo reaches: twice the largest kernels."""
_ALL_OVER = 0.3
"""Gain in dB over all parts of a photo, put together from what is predicted of each, from which an answer is given. Of
8 mosaics of photos of BSDS500 val, 0.6 megapixels, that are sharp or hold something that moves and were harmed by 3 to
17 dB, since their most informative part looked blurred, 7 are returned by it; and so is 1 of 57 that gained."""
_SLIGHTEST = 1.5
"""Length in pixels of the shortest blur that is removed: of six such mosaics that were harmed, where "hardly any blur"
was found, the blur is shorter in five, and of 698 answers to synthetic photos of BSDS500 in two."""
_MOST_PARTS = 3
"""So many parts in a row and in a column, at most."""
_SHORT, _LONG = 12.0, 40.0
_SHORT_SAMPLE, _SHORT_SIDE = 60_000, 240
"""Up to the first length of blur in pixels, half as many pixels of each part are enough, on no smaller side: 0.5 s less
of processor time on a photo of 1280x720. Beyond the second, parts hold too little of the blur to be judged: of a photo
that gains 5.5 dB by a kernel of 54 pixels, all parts but the best promise less than 0.5 dB."""
_ENOUGH = 3.0
"""Predicted gain in dB less its standard deviation from which no larger kernel is searched."""
_SURE = 0.4
"""Gain in dB, less its share of the deviation, from which neither another size nor another encoding is searched."""
_KEPT = 0.5
"""Share of the gain predicted at a smaller size that an answer at a larger one must promise. Of 26 photos of BSDS500
train, enlarged to 1.3 and 2.2 megapixels, five gain 0.3 to 1.5 dB by it and one loses 0.25; of six mosaics that are
sharp at the pixel one loses 1.1."""
_KNOWN = 3
"""So many answers of a smaller size are tried at a larger one."""
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

Photo = Float[Tensor, "1 c h w"]

_LEAST = 1e-9
_NO_GAIN = GainPrediction(0.0, 0.0)


@dataclass(frozen=True)
class Verdict:
    """The answer of a search that the judge takes for the best, and what it holds of it.

    Attributes:
        best: The answers that are predicted to gain most, the one that is meant first; none: see `fault`.
        predictions: Their gains.
        besides: Others that were searched, at a smaller size, and with which answers may agree.
        is_refined: They were predicted once more, from refined answers.
        all_over: The gain predicted of the answer in all parts of the photo together, dB; None: it was judged on all of
            the photo at once, or the blur is too long for that.
        is_sharp: The photo looks sharp.
        cut: The blur may be larger than the box that it was searched in.
        fault: Why there is no answer, in words that follow "the blur ..."; empty: there is one.
    """

    best: tuple[Candidate, ...] = ()
    predictions: tuple[GainPrediction, ...] = ()
    besides: tuple[Candidate, ...] = ()
    is_refined: bool = False
    all_over: float | None = None
    is_sharp: bool = False
    cut: bool = False
    fault: str = ""

    @property
    def prediction(self) -> GainPrediction:
        """The gain of the answer that is meant."""
        return self.predictions[0] if self.predictions else _NO_GAIN

    def facts(self) -> dict[str, Any]:
        """What the report says of it."""
        gain, spread = self.prediction
        facts = {"predicted_gain": round(gain, 2), "predicted_spread": round(spread, 2)}
        return facts if self.all_over is None else {**facts, "predicted_all_over": round(self.all_over, 2)}


class VerdictFinder:
    """Searches the kernel of a photo and judges what was found.

    Args:
        judge: Predicts gains.
        settings: Thresholds.
    """

    def __init__(self, judge: Judge, settings: AutoSettings) -> None:
        self.judge, self.settings = judge, settings

    def find(self, blurry: Photo, options: RestoreOptions, on_step: StepHook = ignore_step) -> Verdict:
        """The best answer, in linear light or, where that is not settled, in encoded values.

        Args:
            blurry: sRGB-encoded, in [0, 1].
            options: Region, kernel size, encoding, effort and force are heeded.
            on_step: Progress and cancel.
        """
        grey, is_night = brightness(blurry), looks_like_night(blurry)
        first, *others = _encodings_for(crop_region(grey, options.region), options)
        count = 1 + len(others)
        verdict = self._search(grey, first, options, steps_of_part(on_step, 0, count), is_night=is_night)
        for number, encoding in enumerate(others, start=1):
            if verdict.fault or self._is_settled(verdict, options):
                break
            part = steps_of_part(on_step, number, count)
            other = self._search(grey, encoding, options, part, is_night=is_night)
            promises = [self.bound_of(one) if self.is_enough(one) else -math.inf for one in (verdict, other)]
            verdict = verdict if promises[0] > promises[1] else other
        return verdict

    def find_again(
        self, found: Verdict, size: Size, blurry: Photo, options: RestoreOptions, on_step: StepHook = ignore_step
    ) -> Verdict:
        """The best at a larger size: a verdict's answers, a second pass from the first, what is read off the cepstrum.

        A disk of two pixels at the smaller size, which the search took for something else, is plain at the larger one.

        Args:
            found: At a smaller size.
            size: That size.
            blurry: The photo at the larger size, sRGB-encoded, in [0, 1].
            options: For the larger size.
            on_step: Progress and cancel.
        """
        grey, larger = brightness(blurry), size_of(blurry)
        known = [replace(one, kernel=enlarge_kernel(one.kernel, size, larger)) for one in found.best]
        again = search_again(grey, known[:1], _search_settings(options), options, on_step)
        candidates = (*known[:_KNOWN], *again, *read_off(crop_region(grey, options.region), known[0].encoding))
        finding = Finding(known[0].kernel, known[0].encoding, cut=found.cut, candidates=candidates)
        measures = _measures_of(grey, options)
        verdict = self._choose(measures, finding, is_night=looks_like_night(blurry), besides=known[_KNOWN:])
        keeps = verdict.prediction.gain >= _KEPT * found.prediction.gain
        return verdict if keeps else replace(verdict, fault="is removed better at a smaller size")

    def look_all_over(self, verdict: Verdict, before: Verdict, blurry: Photo, options: RestoreOptions) -> Verdict:
        """The verdict with what is predicted of its answer in all parts of a photo that is larger than a sample.

        What is most informative may be what moved, before a background that is sharp. What was predicted of the refined
        answer counts, less what the judge of answers predicts to be lost elsewhere.

        Args:
            verdict: On the photo, of the best part of it.
            before: The verdict before its answers were refined; it may be the same.
            blurry: At the size that the verdict is for, sRGB-encoded, in [0, 1].
            options: For that size.
        """
        grey = crop_region(brightness(blurry), options.region)
        parts = _parts_of(grey)
        if len(parts) == 1 or not self.is_enough(verdict) or self.extent_of(verdict) > _LONG:
            return verdict
        answer, coarseness = verdict.best[0], estimate_jpeg_coarseness(grey)
        known = next(one.gain for other, one in zip(before.best, before.predictions, strict=True) if other is answer)
        others = [one for one in (*before.best, *before.besides) if one is not answer]
        is_short = self.extent_of(verdict) <= _SHORT
        pixels, side = (_SHORT_SAMPLE, _SHORT_SIDE) if is_short else (_SAMPLE, _SAMPLE_SIDE)

        def job_for(part: Tensor) -> Job[float]:
            def predict(_: object) -> float:
                sample = crop_informative(part, pixels, side)
                measures = AnswerMeasures(measure_photo(sample, coarseness)).measure([answer], others)
                return self.judge.predict(measures)[0].gain - known + verdict.prediction.gain

            return predict

        gains = list(run_side_by_side(job_for(part) for part in parts))
        return replace(verdict, all_over=_put_together(gains, [_edges_in(part) for part in parts]))

    def bound_of(self, verdict: Verdict) -> float:
        """The gain that the answer has at least, in all likelihood, dB."""
        caution = self.settings.second_caution if verdict.is_refined else self.settings.caution
        return lower_bound(verdict.prediction, caution)

    def is_enough(self, found: Verdict) -> bool:
        """Whether the answer is expected to gain enough to be given."""
        if found.fault or self.extent_of(found) < _SLIGHTEST:
            return False
        holds = found.all_over is None or found.all_over >= _ALL_OVER
        return holds and self.bound_of(found) >= self.settings.least_gain

    def is_sure(self, found: Verdict) -> bool:
        """Whether it is, and no better one need be looked for."""
        return self.is_enough(found) and self.bound_of(found) >= _SURE

    def extent_of(self, found: Verdict) -> float:
        """See `Looker.extent_of`; 0 where there is no answer."""
        return extent_of(found.best[0].kernel) if found.best else 0.0

    def join_unsure(self, found: Verdict, finer: Verdict) -> Verdict:
        """The verdict at the larger size; a photo is sharp if it looks so at both."""
        return replace(finer, is_sharp=finer.is_sharp and found.is_sharp)

    def _search(
        self, grey: Tensor, encoding: BlurEncoding, options: RestoreOptions, on_step: StepHook, *, is_night: bool
    ) -> Verdict:
        """The best answer of a search, of one for large kernels if it is not sure, and of a second pass from both."""
        settings = _search_settings(options)
        finding = find_candidates(grey, encoding, options, settings, steps_of_part(on_step, 0, _PASSES))
        if not finding.candidates:
            return Verdict(fault=finding.fault or "was not found")
        measures = _measures_of(grey, options)
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

    def _choose(
        self, measures: AnswerMeasures, finding: Finding, *, is_night: bool, besides: Sequence[Candidate] = ()
    ) -> Verdict:
        candidates = finding.candidates
        predictions = self.judge.predict(measures.measure(candidates, besides))
        ranks = best_of(predictions, [one.origin == "line" for one in candidates])
        values = measures.photo.values
        is_sharp = not is_night and values["blur_effect"] < _SHARP and values["log_noise"] < math.log(_NOISY)
        best, gains = tuple(candidates[rank] for rank in ranks), tuple(predictions[rank] for rank in ranks)
        return Verdict(best, gains, besides=tuple(besides), is_sharp=is_sharp, cut=finding.cut)

    def _is_settled(self, verdict: Verdict, options: RestoreOptions) -> bool:
        """Whether another encoding need not be searched."""
        return self.is_sure(verdict) or verdict.is_sharp or options.force or options.effort == "fast"


def _measures_of(grey: Tensor, options: RestoreOptions) -> AnswerMeasures:
    sample = crop_informative(crop_region(grey, options.region), _SAMPLE, _SAMPLE_SIDE)
    return AnswerMeasures(measure_photo(sample, estimate_jpeg_coarseness(grey)))


def _parts_of(grey: Tensor) -> list[Tensor]:
    """The photo in about equal parts, each about as large as a sample, or larger where these would be too many."""
    sides = [min(max(1, round(side / math.sqrt(_SAMPLE))), _MOST_PARTS) for side in grey.shape[-2:]]
    return [part for rows in grey.tensor_split(sides[0], -2) for part in rows.tensor_split(sides[1], -1)]


def _edges_in(grey: Tensor) -> float:
    """Sum of the squares of all gradients: what is wrong in an answer is wrong at edges."""
    return sum(float(torch.diff(grey, dim=dim).square().sum()) for dim in (-2, -1))


def _put_together(gains: Sequence[float], weights: Sequence[float]) -> float:
    """The gain in PSNR of a photo from those of its parts, dB, if errors of the photo go with the weights."""
    left = sum(weight * 10 ** (-gain / 10) for weight, gain in zip(weights, gains, strict=True))
    return 10 * math.log10(max(sum(weights), _LEAST) / max(left, _LEAST))


def _encodings_for(grey: Tensor, options: RestoreOptions) -> tuple[BlurEncoding, ...]:
    """Where blur is searched; at a larger size in linear light alone, unless the best effort is asked for.

    Of 20 photos of BSDS500 val, enlarged to 0.6 megapixels and 10 of them blurred in encoded values, 15 were searched
    at the larger size. Linear light settled 14 of them there, and encoded values lost on the other.
    """
    if options.encoding != "auto":
        return (options.encoding,)
    is_larger = grey.numel() > JUDGED_SIZES.large and options.effort != "best"
    return _ENCODINGS[:1] if is_larger else _ENCODINGS


def _search_settings(options: RestoreOptions) -> SearchSettings:
    return SearchSettings(hypotheses=_HYPOTHESES[options.effort], pixels=_SEARCH_PIXELS[options.effort])


def looks_like_night(blurry: Photo) -> bool:
    """Whether a photo is dark and holds clipped lights."""
    clipped = (blurry >= _LAMP).any(1)
    return float(brightness(blurry).median()) < _DARK and float(clipped.float().mean()) > _LAMPS
