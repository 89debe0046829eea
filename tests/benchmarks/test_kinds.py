import pytest

from unblur.benchmarks.kinds import kind_table, summarise_kinds
from unblur.benchmarks.rows import Row


def row(image: str, gain: float, **more) -> Row:
    return Row("photos", image, "auto", "wide-shift", 0, gain=gain, seconds=2.0, **more)


ROWS = [
    row("sharp-png/a", 0.0, change=100.0),
    row("sharp-png/b", -9.0, change=21.0),
    row("line-2-5/a", 3.0),
    row("line-2-5/b", -0.6),
    row("line-2-5/c", 0.1),
    row("line-2-5/d", 0.0, warnings="returned as it was"),
]


def test_counts_are_those_of_the_rows():
    kinds = summarise_kinds(ROWS)
    sharp, line = kinds["sharp-png"], kinds["line-2-5"]
    assert (sharp["harmful"], sharp["untouched"], sharp["silent"]) == (1, 1, None)
    assert (line["harmful"], line["silent"], line["refused"], line["untouched"]) == (1, 2, 1, None)
    assert line["gain"] == pytest.approx(0.625)
    assert line["worst"] == -0.6


def test_failed_rows_count_as_photos_alone():
    [kind] = summarise_kinds([Row("photos", "text/a", "auto", "wide-shift", 0, error="broken")]).values()
    assert (kind["n"], kind["gain"], kind["harmful"]) == (1, None, 0)


def test_the_table_has_a_row_for_each_kind():
    assert kind_table(summarise_kinds(ROWS), "auto").row_count == 2
