"""Combinations of parts: all are tried, and the true kernel is ahead of an estimate."""

import pytest

from unblur.experiments.parts.combinations import run
from unblur.experiments.parts.settings import CombinationSettings
from unblur.methods.catalog import refiner_names
from unblur.solvers.names import SOLVER_NAMES

pytestmark = pytest.mark.usefixtures("quick_search")


def test_all_combinations_are_scored(data_folder, monkeypatch):
    monkeypatch.setenv("UNBLUR_DATA", str(data_folder))
    settings = CombinationSettings(estimators="known-kernel,dublid", crops=1, size=96, kernel_size=11)
    (table,) = run(settings, lambda line: None).tables
    assert len(table.rows) == 2 * len(SOLVER_NAMES) * (1 + len(refiner_names()))
    means = {tuple(row[:3]): row[3] for row in table.rows}
    assert means["known-kernel", "hyper-laplacian", "none"] > 2
