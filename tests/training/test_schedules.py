import math

import pytest

from unblur.errors import SettingsError
from unblur.training.schedules import Constant, Cosine, CosineRestarts, Exponential, Linear, Steps


def test_warmup_rises_evenly_then_the_schedule_begins():
    schedule = Steps([2], gamma=0.1, warmup=4)
    assert [schedule.factor(step) for step in range(8)] == pytest.approx([0.25, 0.5, 0.75, 1, 1, 1, 0.1, 0.1])


def test_constant():
    assert {Constant().factor(step) for step in (0, 1, 10**6)} == {1.0}


def test_cosine_restarts_longer_and_lower():
    schedule = Cosine(4, longer=2, lower=0.5, floor=0.1)
    assert schedule.factor(0) == 1
    assert schedule.factor(2) == pytest.approx(0.55)
    assert schedule.factor(4) == pytest.approx(0.5)
    assert schedule.factor(8) == pytest.approx(0.3)
    assert schedule.factor(12) == pytest.approx(0.25)


def test_cosine_is_half_a_wave():
    schedule = Cosine(100)
    for step in range(100):
        assert schedule.factor(step) == pytest.approx(math.cos(math.pi * step / 200) ** 2)


def test_cosine_restarts_after_each_period():
    schedule = CosineRestarts([50_000, 100_000, 150_000], floor=1e-4)
    tops = [step for step in range(0, 400_000, 50) if schedule.factor(step) == 1]
    assert tops == [0, 50_000, 150_000]
    assert schedule.factor(25_000) == schedule.factor(100_000) == pytest.approx((1 + 1e-4) / 2)
    assert schedule.factor(149_999) == pytest.approx(1e-4, rel=0.01)
    assert {schedule.factor(step) for step in (300_000, 10**6)} == {1e-4}


def test_exponential_halves_and_stays_above_its_floor():
    schedule = Exponential(10, floor=0.2)
    assert schedule.factor(10) == pytest.approx(0.5)
    assert schedule.factor(20) == pytest.approx(0.25)
    assert schedule.factor(1000) == 0.2


def test_linear_falls_to_nothing_and_stays_there():
    schedule = Linear(4, warmup=1)
    assert [schedule.factor(step) for step in range(7)] == pytest.approx([1, 1, 0.75, 0.5, 0.25, 0, 0])


@pytest.mark.parametrize(
    "make",
    [
        lambda: Constant(-1),
        lambda: Cosine(0),
        lambda: Exponential(0),
        lambda: Linear(0),
        lambda: CosineRestarts([]),
        lambda: CosineRestarts([3, 0]),
    ],
)
def test_impossible_numbers_are_refused(make):
    with pytest.raises(SettingsError):
        make()
