"""Rules of early stopping, on series whose end can be told."""

import math

import torch

from unblur.methods.optimisation.stopping import (
    Never,
    Plateau,
    Rule,
    Threshold,
    Variance,
    choose_rule,
    load_state,
    state_of,
)

NOTHING = torch.zeros(1, 1, 2, 2)


def stop_of(rule: Rule, series, images=None) -> int | None:
    """The step at which the rule stops."""
    for step in range(0, len(series), rule.every):
        image = NOTHING if images is None else images[step]
        if rule.check(step, series[step], image):
            return step
    return None


def test_never():
    assert stop_of(Never(), [0.0] * 500) is None


def test_threshold_waits_for_its_patience():
    low = [0.1] * 200
    assert stop_of(Threshold(0.2, patience=4, after=0), low) == 30
    assert stop_of(Threshold(0.2, patience=4, after=95), low) == 130
    assert stop_of(Threshold(0.05, patience=4, after=0), low) is None


def test_one_value_above_starts_the_count_anew():
    series = [0.1] * 200
    series[20] = 10.0  # the mean needs a while to come down again
    rule = Threshold(0.2, patience=4, after=0)
    mean, first_below = 10.0 * 0.1 + 0.09, 20
    while mean > 0.2:
        mean, first_below = 0.9 * mean + 0.01, first_below + 10
    expected = first_below + 30
    assert expected > 30
    assert stop_of(rule, [*series, *[0.1] * 400]) == expected


def test_threshold_restarts():
    rule = Threshold(0.2, patience=3, after=0)
    assert not rule.check(0, 0.1, NOTHING)
    assert not rule.check(10, 0.1, NOTHING)
    rule.restart()
    assert (rule.mean, rule.count) == (None, 0)
    assert not rule.check(20, 0.1, NOTHING)


def test_plateau_stops_when_nothing_improves():
    series = [max(1 - step / 400, 0.25) for step in range(1500)]
    stop = stop_of(Plateau(share=0.01, over=200), series)
    assert 300 + 200 < stop < 300 + 200 + 500
    assert stop_of(Plateau(share=0.01, over=200), [math.exp(-step / 400) for step in range(1500)]) is None


def test_variance_stops_after_the_calmest_window():
    # An image that comes to rest at step 400 and then moves away ever faster.
    images = [torch.full((1, 1, 2, 2), abs(step - 400) ** 1.5 / 1000) for step in range(1000)]
    stop = stop_of(Variance(window=10, patience=5), [0.0] * 1000, images)
    assert 400 < stop < 560
    still_falling = [torch.full((1, 1, 2, 2), math.exp(-step / 200)) for step in range(1000)]
    assert stop_of(Variance(window=10, patience=5), [0.0] * 1000, still_falling) is None


def test_a_rule_can_be_reminded():
    for first, second in (
        (Threshold(0.2), Threshold(0.2)),
        (Variance(window=4), Variance(window=4)),
        (Plateau(), Plateau()),
    ):
        for step in range(5):
            first.check(step, 0.1 * step, torch.full((1, 1, 2, 2), float(step)))
        load_state(second, state_of(first))
        assert str(state_of(second)) == str(state_of(first))
        assert str(state_of(second)) != str(state_of(type(first)(*([0.2] if isinstance(first, Threshold) else []))))


def test_rules_keep_their_proportions():
    def rule(name, steps):
        return choose_rule(name, steps, threshold=0.5, patience=7)

    assert rule("threshold", 5000) == Threshold(0.5, 7, after=500, every=10)
    assert rule("threshold", 1000) == Threshold(0.5, 7, after=100, every=2)
    assert rule("plateau", 5000) == Plateau(over=500, every=10)
    assert rule("variance", 300) == Variance(patience=7, every=1)
    assert rule("never", 300) == Never()
