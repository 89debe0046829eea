"""The pages say what is true of the code, and their links lead somewhere."""

import re
from pathlib import Path

import pytest

import unblur
from conftest import photo_of
from unblur.methods.kernel_search.pyramid import HYPOTHESES
from unblur.methods.options import describe_options
from unblur.methods.selfdeblur.fit_schedules import FIT_SCHEDULES

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("results/*.md")])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    links = re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8"))
    missing = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert not missing


def test_table_of_hypotheses_is_that_of_the_code():
    text = (ROOT / "docs" / "map.md").read_text(encoding="utf-8")
    _, _, below = text.partition("| Ratio of levels ")
    rows = re.findall(r"^\| (\d.*) \|$", below, flags=re.MULTILINE)
    assert rows == [
        " | ".join(
            (
                f"{h.descent.ratio:.2g}",
                f"{h.descent.final_penalty:g}",
                f"{h.prior_strength:g}",
                f"{h.edge_share:.0%}",
                f"{h.faintest:.0%}",
                f"{h.whitening:g}" if h.whitening else "-",
                f"{h.box_share:.0%}",
            )
        )
        for h in HYPOTHESES
    ]


def test_table_of_presets_is_that_of_the_code():
    text = (ROOT / "docs" / "selfdeblur.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)`[^|]*\| (\d+) \| (\w+) \| ([\d, ]+) \| (\d+) \| (.+) \|$", text, flags=re.MULTILINE)
    assert rows == [
        (
            name,
            str(fit_schedule.schedule.steps),
            str(fit_schedule.squares_until or "never"),
            ", ".join(map(str, fit_schedule.schedule.milestones)),
            str(fit_schedule.width),
            f"teacher, {fit_schedule.warm_steps} steps" if fit_schedule.warm_steps else "random",
        )
        for name, fit_schedule in FIT_SCHEDULES.items()
    ]


def page(name: str) -> str:
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


def test_table_of_options_is_that_of_the_code():
    rows = re.findall(r"^\| `(\w+)` \| ([^|]+) \|$", page("python.md"), flags=re.MULTILINE)
    assert rows == [(name, option.help) for name, option in describe_options().items()]


def test_public_names_are_those_of_the_package():
    _, _, listed = page("python.md").partition("## Public names")
    assert set(re.findall(r"`(\w+)`", listed)) == {*unblur.__all__, "unblur"}


@pytest.mark.parametrize("name", ["python.md", "solvers.md"])
def test_python_of_the_page_runs(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    photo_of((96, 80)).save("photo.jpg")
    names: dict[str, object] = {}
    blocks = re.findall(r"^```python\n(.*?)^```", page(name), flags=re.MULTILINE | re.DOTALL)
    assert blocks
    for block in blocks:
        exec(block, names)
