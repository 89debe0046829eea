"""The combinations run; which is best needs more pairs than a test has."""

from statistics import fmean

import pytest

from unblur.experiments.dublid import combinations
from unblur.experiments.dublid.settings import CombinationSettings

pytestmark = pytest.mark.usefixtures("quick_search")


def test_every_combination_has_its_row(data_folder):
    settings = CombinationSettings(suites="levin", limit=1, data=str(data_folder))
    said: list[str] = []
    result = combinations.run(settings, said.append)
    [table] = result.tables
    scores = dict(table.rows)
    assert list(scores) == list(combinations.COMBINATIONS)
    assert len(said) == 1
    assert scores["map"] > fmean(scores.values()), "map is best on camera shake"
    assert scores["dublid, retrieval"] != scores["dublid, solver"], "the same kernel, another image"
    [best] = result.comparisons
    assert best.verdict == "cannot be said"
