import csv
import json

import pytest
from matplotlib.figure import Figure
from PIL import Image

from unblur.errors import OutputError
from unblur.experiments.comparison import Comparison, compare_value
from unblur.experiments.report import record_of, write_result
from unblur.experiments.result import ExperimentResult, Table


def example() -> ExperimentResult:
    figure = Figure(figsize=(2, 1))
    figure.subplots().plot([0, 1])
    return ExperimentResult(
        title="A law of nature",
        figures={"line": figure},
        tables=[Table("points", "Points", ["x", "y"], [[1, 0.123456], ["a|b", None]])],
        comparisons=[compare_value("slope", 1, 1.01, within=0.1), Comparison("speed", "2 s", "3 s")],
        notes=["Measured twice.", ""],
    )


def test_everything_becomes_a_file(tmp_path):
    record = record_of("law", {"seed": 1}, 2.34)
    files = write_result(example(), record, tmp_path / "new" / "run")
    assert [path.name for path in files] == ["report.md", "line.png", "points.csv", "record.json"]
    with Image.open(files[1]) as picture:
        assert picture.size == (160, 80)
    assert list(csv.reader(files[2].read_text().splitlines())) == [["x", "y"], ["1", "0.123456"], ["a|b", ""]]
    stored = json.loads(files[3].read_text())
    assert stored["experiment"] == "law"
    assert stored["settings"] == {"seed": 1}
    page = files[0].read_text()
    assert "| slope | 1 | 1.01 | ± 0.1 | matches |  |" in page
    assert "| speed | 2 s | 3 s |  | cannot be said |  |" in page
    assert "| a\\|b |  |" in page
    assert page.endswith("- Measured twice.\n")


def test_results_are_replaced(tmp_path):
    for _ in range(2):
        write_result(example(), record_of("law", {}, 1.0), tmp_path)
    assert len(list(tmp_path.iterdir())) == 4


def test_a_file_in_the_way(tmp_path):
    (tmp_path / "taken").write_text("")
    with pytest.raises(OutputError):
        write_result(example(), record_of("law", {}, 1.0), tmp_path / "taken")
