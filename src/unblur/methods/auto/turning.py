"""Whether the camera turned while it shook: the photo is judged at several places, under one kernel and under turns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from jaxtyping import Float
from torch import Tensor

from unblur.blur.poses import Place, PoseBlur
from unblur.images.jpeg_traces import estimate_jpeg_coarseness
from unblur.methods.auto.judge import GainPrediction, Judge
from unblur.methods.auto.measures import AnswerMeasures, measure_photo
from unblur.methods.base import Step, StepHook, ignore_step
from unblur.methods.kernel_search.search import Candidate
from unblur.methods.kernel_search.turning import TURN_HYPOTHESES, TurnHypothesis, search_turn
from unblur.methods.region import find_informative
from unblur.methods.transforms import Encode
from unblur.solvers.priors import PRIORS
from unblur.system.threads import run_side_by_side

__all__ = ["Turned", "find_turn"]

_PARTS = (2, 3)
"""Into how many parts the photo's short and long side are divided; each is judged on its most informative place."""
_PIXELS, _SIDE = 25_000, 100
"""Of such a place: about so many pixels, no smaller side."""
_SMALLEST = 200
"""Sides of photos below which a turn moves hardly anything."""
_BETTER = 0.5
"""Gain in dB, on average over all places, that a turn must promise beyond one kernel for all. Of 14 photos of BSDS500
train under shake with roll, 0 would take five turns, of which two gain 2 and 3 dB more and two lose 1 to 2."""

Grey = Float[Tensor, "1 1 h w"]


@dataclass(frozen=True)
class Turned:
    """A blur that explains the photo better than one kernel does.

    Attributes:
        blur: In pixels of the photo.
        prediction: Its gain, as the mean of all places.
    """

    blur: PoseBlur
    prediction: GainPrediction


@dataclass(frozen=True)
class _Sample:
    """A place that answers are judged at, and its measures."""

    place: Place
    measures: AnswerMeasures


def find_turn(grey: Grey, best: Candidate, judge: Judge, on_step: StepHook = ignore_step) -> Turned | None:
    """The blur of a camera that turned; None: one kernel explains the photo as well.

    Args:
        grey: Brightness, sRGB-encoded, in [0, 1].
        best: The kernel that was found for the photo.
        judge: Predicts gains.
        on_step: Progress and cancel.
    """
    if min(grey.shape[-2:]) < _SMALLEST:
        return None
    turned = _search(grey, best, on_step)
    if not turned:
        return None
    samples = _samples(grey)
    same, *others = (_predict(samples, judge, kernel_at) for kernel_at in _kernels(best, turned))
    prediction, blur = max(zip(others, turned, strict=True), key=lambda pair: pair[0].gain)
    return Turned(blur, prediction) if prediction.gain >= same.gain + _BETTER else None


def _search(grey: Grey, best: Candidate, on_step: StepHook) -> list[PoseBlur]:
    photo = Encode(best.encoding).forward(grey)
    shares = [0.0] * len(TURN_HYPOTHESES)

    def job(number: int, hypothesis: TurnHypothesis, on_round: Callable[[], None]) -> PoseBlur | None:
        def report(share: float) -> None:
            shares[number] = share
            on_round()

        return search_turn(photo, best.kernel, hypothesis, PRIORS["l0"], report)

    jobs = [partial(job, number, hypothesis) for number, hypothesis in enumerate(TURN_HYPOTHESES)]
    found = run_side_by_side(jobs, lambda: on_step(Step(min(shares), "looking for a turn of the camera")))
    return [blur for blur in found if blur is not None]


def _kernels(best: Candidate, turned: Sequence[PoseBlur]) -> list[Callable[[Place], Candidate]]:
    """What answers are made of at a place: the kernel of all places, and that of each blur there."""

    def at(blur: PoseBlur, place: Place) -> Candidate:
        return Candidate(blur.kernel_at(place), best.encoding, "second-pass")

    return [lambda _: best, *(partial(at, blur) for blur in turned)]


def _predict(samples: Sequence[_Sample], judge: Judge, kernel_at: Callable[[Place], Candidate]) -> GainPrediction:
    """The mean of the gains that are predicted at all places, and of their deviations."""
    found = [_predict_at(one, judge, kernel_at(one.place)) for one in samples]
    gain, spread = (sum(values) / len(found) for values in zip(*found, strict=True))
    return GainPrediction(gain, spread)


def _predict_at(sample: _Sample, judge: Judge, candidate: Candidate) -> GainPrediction:
    # Whether searches agree says nothing here, so every kernel is given a second search that agrees with it.
    agreeing = replace(candidate, origin="search")
    [measures] = sample.measures.measure([candidate], besides=[agreeing])
    return judge.predict([measures])[0]


def _samples(grey: Grey) -> list[_Sample]:
    height, width = grey.shape[-2:]
    rows, columns = _PARTS if height <= width else _PARTS[::-1]
    coarseness = estimate_jpeg_coarseness(grey)
    samples: list[_Sample] = []
    for row in range(rows):
        for column in range(columns):
            top, left = row * height // rows, column * width // columns
            part = grey[..., top : (row + 1) * height // rows, left : (column + 1) * width // columns]
            down, right, tall, wide = find_informative(part, _PIXELS, _SIDE)
            image = part[..., down : down + tall, right : right + wide]
            place = Place(left + right + wide / 2 - width / 2, top + down + tall / 2 - height / 2)
            samples.append(_Sample(place, AnswerMeasures(measure_photo(image, coarseness))))
    return samples
