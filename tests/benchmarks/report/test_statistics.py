import math

import numpy as np
import pytest

from unblur.benchmarks.report.statistics import bootstrap_mean, paired_difference


def test_the_interval_is_that_of_the_normal_distribution_for_many_values():
    values = np.random.default_rng(0).normal(30, 2, 400)
    found = bootstrap_mean(values.tolist())
    half = 1.96 * values.std(ddof=1) / 20
    assert found.mean == pytest.approx(values.mean())
    assert found.low == pytest.approx(values.mean() - half, abs=0.1 * half)
    assert found.high == pytest.approx(values.mean() + half, abs=0.1 * half)
    assert bootstrap_mean(values.tolist()) == found


def test_the_interval_holds_the_true_mean_as_often_as_it_says():
    generator = np.random.default_rng(1)
    held = sum(
        found.low <= 5 <= found.high
        for found in (bootstrap_mean(generator.exponential(5, 60).tolist(), seed=i) for i in range(100))
    )
    assert 86 <= held <= 100  # the percentile bootstrap of 60 skewed values falls a little short of 95%


def test_few_values():
    assert bootstrap_mean([]) is None
    assert bootstrap_mean([math.inf, math.nan]) is None
    assert bootstrap_mean([3.0, math.inf]) == (3, 3, 3)


def test_differences_are_taken_image_by_image():
    first = {0: 10.0, 1: 20.0, 2: 30.0, 3: math.inf, 5: 1.0}
    second = {0: 9.0, 1: 19.0, 2: 31.0, 3: 4.0, 4: 2.0}
    found = paired_difference(first, second)
    assert found.mean.mean == pytest.approx(1 / 3)
    assert found.higher == pytest.approx(2 / 3)
    assert found.images == 3
    assert paired_difference({0: 1.0}, {1: 1.0}) is None
    steady = paired_difference({i: i + 0.5 for i in range(40)}, {i: float(i) for i in range(40)})
    assert steady.mean == (0.5, 0.5, 0.5)  # images differ, the gain does not: pairing sees it
