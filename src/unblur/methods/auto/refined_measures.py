"""Measures of refined answers: what the refiner makes of an answer tells, too, whether its kernel was right.

The refiner has learned what photos look like. It undoes little of a good answer and much of a bad one, and answers of
several kernels that are right become the same image. As `MEASURES`, these are learned from and judged by.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch.nn.functional as F  # noqa: N812 - the name that everyone gives it
from jaxtyping import Float
from torch import Tensor

from unblur.blur.fft import from_spectrum, good_size, multiply_conjugate, spectrum
from unblur.images.tensors import brightness
from unblur.methods.auto.improvement import SOLVER, Improver
from unblur.methods.auto.judge import GainPrediction
from unblur.methods.auto.measures import measure_blur_effect, measure_gradient_sparsity, measure_lag, tiles_of
from unblur.methods.auto.refiner import AnswerRefiner, reblur_residual
from unblur.methods.kernel_search.search import Candidate
from unblur.solvers.photo import restore_with_kernel
from unblur.system.threads import Job, run_side_by_side

__all__ = ["REFINED_MEASURES", "RefinedAnswer", "refine_answers"]

REFINED_MEASURES = (
    "first_gain", "first_spread", "behind", "image_agreement", "mean_image_agreement", "likeness", "detail",
    "refined_blur_effect", "refined_sparsity", "log_undone", "log_refined_change", "log_brought_back", "log_residual",
    "log_residual_over_noise", "log_residual_worst", "residual_spread", "log_refined_overshoot",
    "residual_lag", "residual_lag_least", "residual_lag_most",
    "residual_in_change", "residual_in_change_least", "residual_in_change_most",
)  # fmt: skip
"""Names of all measures, in the order in which a judge is given them. The first three are what was predicted before the
answer was refined, and how far that is behind the best; the last six tell whether what the kernel leaves unexplained is
noise, in all of the photo and in the ninths of it where it is least and most so."""
_FINE = 5
"""Detail is what a mean over squares of so many pixels removes."""
_BORDER = 8
_REACH = 4
"""Answers lie at places that differ by up to so many pixels, as their kernels do."""
_LEAST = 1e-4
_LEAST_SUM = 1e-6

Photo = Float[Tensor, "1 3 h w"]


class RefinedAnswer(NamedTuple):
    """An answer as `auto` would give it, and its measures."""

    image: Photo
    measures: dict[str, float]


def refine_answers(
    refiner: AnswerRefiner, blurry: Photo, candidates: Sequence[Candidate], predictions: Sequence[GainPrediction]
) -> list[RefinedAnswer]:
    """The answers with some kernels, refined and measured.

    Args:
        refiner: With its weights.
        blurry: A photo in colour, or a part of it, sRGB-encoded, in [0, 1].
        candidates: The kernels, all of those that compete.
        predictions: What is expected of each before it is refined.
    """
    improver = Improver(refiner, blurry)

    def job_for(candidate: Candidate) -> Job[RefinedAnswer]:
        return lambda _: _refine(improver, blurry, candidate)

    answers = list(run_side_by_side(job_for(one) for one in candidates))
    details = [_detail_of(one.image) for one in answers]
    fine, best = _detail_of(blurry), max(one.gain for one in predictions)
    refined: list[RefinedAnswer] = []
    for number, (answer, prediction) in enumerate(zip(answers, predictions, strict=True)):
        own = details[number]
        others = [_likeness(own, other) for place, other in enumerate(details) if place != number]
        known = {
            "first_gain": prediction.gain,
            "first_spread": prediction.spread,
            "behind": best - prediction.gain,
            "image_agreement": max(others, default=0.0),
            "mean_image_agreement": sum(others) / max(len(others), 1),
            "likeness": _likeness(own, fine),
            "detail": _log(_size(own) / max(_size(fine), _LEAST)),
        }
        refined.append(answer._replace(measures={**answer.measures, **known}))
    return refined


def _refine(improver: Improver, blurry: Tensor, candidate: Candidate) -> RefinedAnswer:
    kernel, encoding, coarseness = candidate.kernel, candidate.encoding, improver.jpeg_coarseness
    answer = restore_with_kernel(blurry, kernel, encoding=encoding, solver=SOLVER, jpeg_coarseness=coarseness)
    refined, image = improver.improve(answer, kernel, encoding)
    clean = refined.clamp(0, 1)
    residual = reblur_residual(clean, blurry, kernel, encoding)
    errors = [_size(tile) for tile in tiles_of(residual)]
    grey, after, left = (brightness(one) for one in (blurry, clean, residual))
    return RefinedAnswer(
        image,
        {
            "refined_blur_effect": measure_blur_effect(brightness(clean)),
            "refined_sparsity": measure_gradient_sparsity(brightness(clean)),
            "log_undone": _log(_size(refined - answer.clamp(0, 1))),
            "log_refined_change": _log(_size(refined - blurry)),
            "log_brought_back": _log(_size(image - clean)),
            "log_residual": _log(_size(residual)),
            "log_residual_over_noise": _log(_size(residual) / improver.noise[0]),
            "log_residual_worst": _log(max(errors)),
            "residual_spread": max(errors) * len(errors) / max(sum(errors), _LEAST),
            "log_refined_overshoot": _log(_size(refined - clean)),
            **_all_over("residual_lag", measure_lag, left),
            **_all_over("residual_in_change", _correlation, left, after - grey),
        },
    )


def _all_over(name: str, measure: Callable[..., float], *images: Tensor) -> dict[str, float]:
    """A measure of all of the images, and the least and the largest of a ninth of them."""
    parts = [measure(*tiles) for tiles in zip(*(tiles_of(image) for image in images), strict=True)]
    return {name: measure(*images), f"{name}_least": min(parts), f"{name}_most": max(parts)}


def _correlation(image: Tensor, other: Tensor) -> float:
    image, other = image - image.mean(), other - other.mean()
    return float((image * other).sum() / (image.norm() * other.norm()).clamp_min(_LEAST_SUM))


def _detail_of(image: Tensor) -> Float[Tensor, "1 1 h w"]:
    """What is finer than a few pixels in the brightness, without the borders."""
    grey = brightness(image)
    smooth = F.avg_pool2d(F.pad(grey, (_FINE // 2,) * 4, mode="replicate"), _FINE, 1)
    fine = grey - smooth
    border = _BORDER if min(grey.shape[-2:]) > 4 * _BORDER else 0
    return fine[..., border : grey.shape[-2] - border, border : grey.shape[-1] - border]


def _likeness(detail: Tensor, other: Tensor) -> float:
    """Correlation of the details of two images, the largest over small shifts."""
    size = good_size(detail.shape[-2] + _REACH), good_size(detail.shape[-1] + _REACH)
    products = from_spectrum(multiply_conjugate(spectrum(detail, size), spectrum(other, size)), size)
    near = products.roll((_REACH, _REACH), (-2, -1))[..., : 2 * _REACH + 1, : 2 * _REACH + 1]
    return float(near.amax() / (detail.norm() * other.norm()).clamp_min(_LEAST))


def _size(image: Tensor) -> float:
    """Root of the mean square."""
    return float(image.square().mean().sqrt())


def _log(value: float) -> float:
    return math.log(max(value, _LEAST))
