"""Whether the camera turned while it shook: the photo is judged at several places, under one kernel and under turns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from jaxtyping import Float
from torch import Tensor

from unblur.blur.poses import Place, PoseBlur
from unblur.images.jpeg_traces import estimate_jpeg_coarseness
from unblur.methods.auto.judge import GainPrediction, Judge
from unblur.methods.auto.measures import AnswerMeasures, measure_photo
from unblur.methods.base import Step, StepHook, ignore_step
from unblur.methods.kernel_search.search import Candidate, Origin
from unblur.methods.kernel_search.turning import search_turn
from unblur.methods.region import find_informative
from unblur.methods.transforms import Encode
from unblur.solvers.priors import PRIORS

__all__ = ["Turned", "find_turn"]

_PARTS = (2, 3)
"""Into how many parts the photo's short and long side are divided; each is judged on its most informative place."""
_PIXELS, _SIDE = 25_000, 100
"""Of such a place: about so many pixels, no smaller side."""
_SMALLEST = 200
"""Sides of photos below which a turn moves hardly anything."""
_FREE: tuple[Origin, ...] = ("search", "second-pass")
"""Kernels of a camera that turned were searched freely: it draws no line and no disk."""
_LEAST_MORE, _LEAST_MORE_THAN_LITTLE, _LITTLE = -0.6, -1.9, 3.0
"""Gain in dB, on average over all places, that a turn must promise beyond one kernel for all: the first, or the second
where the one kernel promises less than the third. The judge has learned from single kernels and undervalues the light
of poses, which is more spread. Of 52 photos and mosaics of BSDS500 val whose camera turned, 20 are restored so, and
gain 1.4 dB more than without on average, two of them 0.5 and 1.1 less; of some 120 others under
all kinds of blur one is, a disk, and loses 0.5."""

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


def find_turn(
    grey: Grey, best: Candidate, promised: float, judge: Judge, on_step: StepHook = ignore_step
) -> Turned | None:
    """The blur of a camera that turned; None: one kernel explains the photo as well.

    Args:
        grey: Brightness, sRGB-encoded, in [0, 1].
        best: The kernel that was found for the photo.
        promised: The gain that was predicted of it, dB.
        judge: Predicts gains.
        on_step: Progress and cancel.
    """
    if min(grey.shape[-2:]) < _SMALLEST or best.origin not in _FREE:
        return None
    photo = Encode(best.encoding).forward(grey)
    blur = search_turn(photo, best.kernel, PRIORS["l0"], partial(_report, on_step))
    if blur is None:
        return None
    samples = _samples(grey)
    same = _predict(samples, judge, lambda _: best)
    turned = _predict(samples, judge, lambda place: Candidate(blur.kernel_at(place), best.encoding, "second-pass"))
    least_more = _LEAST_MORE if max(same.gain, promised) >= _LITTLE else _LEAST_MORE_THAN_LITTLE
    return Turned(blur, turned) if turned.gain >= same.gain + least_more else None


def _report(on_step: StepHook, share: float) -> None:
    on_step(Step(share, "looking for a turn of the camera"))


def _predict(samples: list[_Sample], judge: Judge, kernel_at: Callable[[Place], Candidate]) -> GainPrediction:
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
