"""The best answers to a photo, refined and judged again before one of them is given."""

from __future__ import annotations

from dataclasses import replace

from jaxtyping import Float
from torch import Tensor

from unblur.images.tensors import brightness
from unblur.methods.auto.judge import Judge, best_of
from unblur.methods.auto.refined_measures import refine_answers
from unblur.methods.auto.refiner import AnswerRefiner
from unblur.methods.auto.verdicts import Verdict
from unblur.methods.region import find_informative

__all__ = ["MOST_ANSWERS", "look_again"]

MOST_ANSWERS = 4
"""So many answers are refined, those that are predicted to gain most."""
_WORTH_IT = -2.5
"""Predicted gain in dB of the best answer from which on they are."""
_PIXELS, _SIDE = 60_000, 240
"""On about so many pixels, no smaller side: what was learned from has as many."""


def look_again(verdict: Verdict, photo: Float[Tensor, "1 3 h w"], judge: Judge, refiner: AnswerRefiner) -> Verdict:
    """The verdict after its best answers were refined: another one may be meant, and all are predicted anew.

    Args:
        verdict: Of the search.
        photo: In colour, or the part of it that was searched, sRGB-encoded, in [0, 1].
        judge: Has learned from refined answers.
        refiner: Refines.
    """
    if verdict.prediction.gain < _WORTH_IT:
        return verdict
    top, left, height, width = find_informative(brightness(photo), _PIXELS, _SIDE)
    sample = photo[..., top : top + height, left : left + width]
    best = verdict.best[:MOST_ANSWERS]
    refined = refine_answers(refiner, sample, best, verdict.predictions[:MOST_ANSWERS])
    predictions = judge.predict([one.measures for one in refined])
    ranks = best_of(predictions)
    return replace(
        verdict,
        best=tuple(best[rank] for rank in ranks),
        predictions=tuple(predictions[rank] for rank in ranks),
        is_refined=True,
    )
