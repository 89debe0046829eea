"""docs/papers.md: complete, current, and of stored runs that are there."""

import re
import shlex
from dataclasses import replace
from pathlib import Path

import pytest

from unblur.benchmarks.published import published_numbers
from unblur.errors import DataError
from unblur.experiments.catalog import find_experiment, settings_class_of
from unblur.experiments.papers.contents import Item, read_papers
from unblur.experiments.papers.counted import NETWORKS
from unblur.experiments.papers.lines import QUOTED, Line, lines_of
from unblur.experiments.papers.page import VERDICTS
from unblur.experiments.papers.stored import StoredRun
from unblur.methods.settings import make_settings

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "results"

CONTENTS = {
    "golf": [
        *(f"Table {number}" for number in range(1, 8)),
        *(f"Figure {number}" for number in range(1, 17)),
    ],
    "selfdeblur": [
        "Levin table", "Levin table, later papers", "Lai table", "Lai table, later papers", "Köhler table",
        "RealBlur table", "Runtime", "Networks", "Total variation",
        *(f"Proposal E{number}" for number in range(1, 8)),
    ],
    "dublid": ["Linear table", "Nonlinear table", "Runtime table", "Parameters", "Figures: kernels, images"],
    "kernel-space": [
        "Networks", "Kernel retrieval", "Blur swap", "Generic deblurring", "Ablation of the fit", "Augmentation",
        "Blur generation", "Domain-specific deblurring",
    ],
    "neurmap": [
        *(f"Table {number}" for number in ("I", "II", "III", "IV")),
        *(f"Figure {number}" for number in range(1, 15)),
    ],
}  # fmt: skip
"""Every table and figure of the five documents."""

ELSEWHERE = {
    "Zamir et al., MPRNet, CVPR 2021", "Chen et al., NAFNet, ECCV 2022", "Tao et al., SRN, CVPR 2018",
}  # fmt: skip
"""Sources of published numbers that are none of the five."""


@pytest.fixture(scope="module")
def lines() -> dict[str, list[Line]]:
    return {paper.name: lines_of(paper, RESULTS) for paper in read_papers()}


def tables_and_figures(place: str) -> list[str]:
    """`Figures 4, 10 to 12` are four figures; a name without numbers is itself."""
    name = re.sub(r"(Proposal E\d).*", r"\1", place)
    found = re.fullmatch(r"Figures ([\d, to]+)", name)
    if not found:
        return [name]
    spans = (part.split(" to ") for part in found[1].split(", "))
    return [f"Figure {number}" for span in spans for number in range(int(span[0]), int(span[-1]) + 1)]


@pytest.mark.parametrize("paper", CONTENTS)
def test_every_table_and_figure_has_a_line(paper, lines):
    there = [name for line in lines[paper] for name in tables_and_figures(line.place.name)]
    assert set(there) == set(CONTENTS[paper])


def test_every_published_number_of_the_five_is_on_the_page(lines):
    sources = {place.source for paper in read_papers() for place in paper.places} - {""}
    assert sources == {number.source for number in published_numbers()} - ELSEWHERE
    printed = [line.printed for own in lines.values() for line in own]
    for number in published_numbers():
        if number.source in sources:
            assert any(f"{number.value:g}" in words or f"{number.value:.2f}" in words for words in printed), number


def test_every_line_has_an_answer_or_says_what_it_would_take(lines):
    for line in (line for own in lines.values() for line in own):
        assert line.what
        assert line.printed
        assert line.place.protocol
        assert line.verdict in VERDICTS
        assert bool(line.ours) == (line.verdict != QUOTED)
        assert line.ours or line.why


def test_counts_agree_with_the_papers(lines):
    counted = [
        item.what for paper in read_papers() for place in paper.places for item in place.items if item.count in NETWORKS
    ]
    verdicts = {line.what: line.verdict for own in lines.values() for line in own}
    assert counted
    assert {verdicts[what] for what in counted} == {"matches"}


@pytest.mark.parametrize("paper", read_papers(), ids=lambda paper: paper.name)
def test_a_run_that_is_gone_is_an_error(paper, tmp_path):
    with pytest.raises(DataError, match="is cited, and"):
        lines_of(paper, tmp_path)


@pytest.mark.parametrize(
    ("item", "message"),
    [
        (Item("x", run="2026-11-21-weak-noise", claim="fog"), "no line 'fog'"),
        (Item("x", run="2026-11-21-weak-noise", table="noise", where={"noise": "9"}, column="PSNR"), "no values of"),
        (Item(method="Fog", dataset="levin", run="2026-11-21-levin-map"), "nothing of 'Fog'"),
    ],
)
def test_a_value_that_is_gone_is_an_error(item, message):
    paper = read_papers()[0]
    place = replace(paper.places[0], items=(item,))
    with pytest.raises(DataError, match=message):
        lines_of(replace(paper, places=(place,)), RESULTS)


def test_the_commands_of_the_runs_can_be_given(lines):
    commands = {StoredRun(RESULTS / line.run).command for own in lines.values() for line in own if line.run}
    assert (
        "unblur benchmark dublid-bsds --method dublid --weights dublid-linear --set final=retrieval --grey" in commands
    )
    for command in commands:
        _, verb, name, *words = shlex.split(command)
        if verb == "experiment":
            given = dict(word.split("=", 1) for word in words if word != "--set")
            make_settings(settings_class_of(find_experiment(name)), given)


def test_a_mean_is_that_of_the_rows():
    run = StoredRun(RESULTS / "2026-11-21-levin-map")
    assert run.measured("psnr") == "32.29 (31.52 to 33.04); 32 images"
    sharp = StoredRun(RESULTS / "2026-11-22-golf-iterations-symmetric").cell("sharp", "PSNR", {}, {})
    assert sharp.startswith("48.14 (")
    assert sharp.endswith("; 24 rows")


def test_the_page_is_what_the_command_writes(run, tmp_path):
    page = tmp_path / "docs" / "papers.md"
    page.parent.mkdir()
    (tmp_path / "results").symlink_to(RESULTS)
    ran = run("report", tmp_path / "results", "--papers", page)
    assert ran.code == 0
    stored = (ROOT / "docs" / "papers.md").read_text(encoding="utf-8")
    assert page.read_text(encoding="utf-8") == stored, "run: unblur report results --papers docs/papers.md"
