"""Means with confidence intervals, and differences between methods on the same images."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from scipy.stats import bootstrap

__all__ = ["RESAMPLES", "Difference", "Interval", "bootstrap_mean", "paired_difference"]

RESAMPLES = 10_000
_BATCH = 1_000


class Interval(NamedTuple):
    """A mean and its 95% confidence interval."""

    mean: float
    low: float
    high: float


class Difference(NamedTuple):
    """How much higher one method's values are than another's on the images that both have.

    Attributes:
        mean: Mean difference with its interval.
        higher: Share of the images on which the first method's value is higher.
        images: Number of these images.
    """

    mean: Interval
    higher: float
    images: int


def bootstrap_mean(values: Sequence[float], seed: int = 0) -> Interval | None:
    """The mean of the finite values; its interval by the percentiles of resampled means (Efron 1979).

    Args:
        values: Taken as independent, which images with the same blur or scene are not quite.
        seed: The same values and seed give the same interval.

    Returns:
        None if no value is finite; a single value is its own interval.
    """
    finite = np.array([value for value in values if math.isfinite(value)])
    if finite.size == 0:
        return None
    mean = float(finite.mean())
    if finite.size == 1:
        return Interval(mean, mean, mean)
    resampled = bootstrap(
        (finite,), np.mean, n_resamples=RESAMPLES, batch=_BATCH, method="percentile", rng=np.random.default_rng(seed)
    )
    return Interval(mean, *map(float, resampled.confidence_interval))


def paired_difference(first: Mapping[int, float], second: Mapping[int, float]) -> Difference | None:
    """`first - second` over the images that have a finite value in both; None if there are none.

    Args:
        first: Value of each image by its index.
        second: Value of each image by its index.
    """
    shared = sorted(first.keys() & second.keys())
    apart = [first[key] - second[key] for key in shared if math.isfinite(first[key]) and math.isfinite(second[key])]
    mean = bootstrap_mean(apart)
    if mean is None:
        return None
    return Difference(mean, sum(value > 0 for value in apart) / len(apart), len(apart))
