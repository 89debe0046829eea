import math

import pytest

from unblur.experiments.comparison import compare_direction, compare_value

pytestmark = pytest.mark.usefixtures("quick_search")


@pytest.mark.parametrize(
    ("ours", "verdict"),
    [
        (240.0, "matches"),
        (360.0, "matches"),
        (9.38e4, "same direction"),
        (0.5, "differs"),
        (None, "cannot be said"),
        (math.nan, "cannot be said"),
    ],
)
def test_a_printed_ratio(ours, verdict):
    found = compare_value("ratio", 240, ours, within=120, neutral=1)
    assert found.verdict == verdict
    assert found.tolerance == "± 120; direction: from 1"


@pytest.mark.parametrize(
    ("ours", "verdict"),
    [
        (-4.3, "matches"),
        (-0.2, "same direction"),
        (-0.09, "cannot be said"),
        (0.09, "cannot be said"),
        (0.2, "differs"),
    ],
)
def test_a_printed_loss(ours, verdict):
    found = compare_value("loss", -4.52, ours, within=0.3, neutral=0, least=0.1, unit="dB", form="+.2f")
    assert (found.printed, found.ours, found.verdict) == ("-4.52 dB", f"{ours:+.2f} dB", verdict)
    assert found.tolerance == "± 0.3 dB; direction: 0.1 dB or more from 0"


def test_without_a_neutral_value_there_is_no_direction():
    assert compare_value("size", 1.78, 1.9, within=0.005).verdict == "differs"


@pytest.mark.parametrize(
    ("ours", "better", "verdict"),
    [
        (34.3, "higher", "better"),
        (34.3, "lower", "same direction"),
        (34.3, None, "same direction"),
        (33.3, "higher", "matches"),
        (31.0, "higher", "same direction"),
        (31.0, "lower", "better"),
        (22.0, "higher", "differs"),
    ],
)
def test_a_metric_beyond_the_printed_value(ours, better, verdict):
    assert compare_value("quality", 33.07, ours, within=0.5, neutral=23.2, better=better).verdict == verdict


@pytest.mark.parametrize(
    ("effect", "verdict"),
    [
        (0.5, "same direction"),
        (0.05, "cannot be said"),
        (-0.05, "cannot be said"),
        (-0.5, "differs"),
        (None, "cannot be said"),
    ],
)
def test_a_direction_never_matches(effect, verdict):
    found = compare_direction("gain", "some", effect, least=0.1)
    assert (found.verdict, found.tolerance) == (verdict, "0.1 dB or more")
