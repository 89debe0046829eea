"""The pages say what is true of the code, and their links lead somewhere."""

import importlib.util
import re
import sys
import tomllib
from pathlib import Path

import pytest

import unblur
from conftest import photo_of
from doc_blocks import blocks_of, input_of, place_what_is_named, two_steps, unblur_lines, words_of
from unblur.cli.main import parser
from unblur.methods.kernel_search.pyramid import HYPOTHESES
from unblur.methods.options import describe_options
from unblur.methods.selfdeblur.fit_schedules import FIT_SCHEDULES

pytestmark = pytest.mark.usefixtures("quick_search")

ROOT = Path(__file__).parents[1]
SITE = sorted((ROOT / "docs").glob("*.md"))
LINES = [(page.stem, line) for page in SITE for block in blocks_of(page) for line in unblur_lines(*block)]
NOT_RUN = {
    r"unblur (app|serve)\b|--watch": "runs until it is stopped: tests/app, tests/server, tests/cli/test_watching.py",
    r"--engine ray|s3://": "needs a cluster or a store: tests/cluster",
    r"--device cuda": "needs a GPU: tests/test_gpu.py",
    r"weights get|--weights nafnet-gopro-width32|--method maxim": "downloads: tests/weights/test_retrieval.py",
    r"DMPHN_1_2_4|model_deblurring|NAFNet-GoPro|16channel|my/file\.pth": "names weights of others: tests/backbones",
    r"VARIATIONAL|official\.ckpt|encoder_lv|show FILE": "names weights of others: tests/weights, tests/cli",
    r"train recipes/dublid/smoke\.yaml --trainer": "needs BSDS500: tests/training",
    r"data make": "needs a dozen photos: tests/datasets",
    r"experiment golf-toy": "takes minutes: tests/experiments",
}
"""Lines of which only the options are tested here, and why."""


def is_run(line: str) -> bool:
    return not any(re.search(pattern, line) for pattern in NOT_RUN)


def is_restoring(line: str) -> bool:
    return line.split()[1] == "restore" or "." in line.split()[1]


RESTORING = [(page, line) for page, line in LINES if is_restoring(line) and is_run(line)]
COMMANDS = ("unblur ", "pip ", "curl ", "docker ", "ffmpeg ", "find ", "make ", "python", "cp ", "import ", "from ")
OF_OTHER_TESTS = {"server", "app"}
"""Pages whose blocks need a program that runs; the tests of that program run them."""
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
    row = r"^\| `(\w+)`[^|]*\| (\d+) \| (\w+) \| ([\d, ]+) \| (\d+) \| (.+) \|$"
    rows = re.findall(row, text, flags=re.MULTILINE)
    assert rows == [
        (
            name,
            str(fit_schedule.schedule.steps),
            str(fit_schedule.squares_until or "never"),
            ", ".join(map(str, fit_schedule.schedule.milestones)),
            str(fit_schedule.width),
            start_of(fit_schedule),
        )
        for name, fit_schedule in FIT_SCHEDULES.items()
    ]


def start_of(fit_schedule) -> str:
    if fit_schedule.around_teacher:
        return "around the teacher's image"
    return f"teacher, {fit_schedule.warm_steps} steps" if fit_schedule.warm_steps else "random"


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
    photo_of((72, 60)).save("photo.jpg")
    names: dict[str, object] = {}
    blocks = re.findall(r"^```python\n(.*?)^```", page(name), flags=re.MULTILINE | re.DOTALL)
    assert blocks
    for block in blocks:
        exec(block, names)


def test_every_page_is_in_the_navigation():
    navigation = (ROOT / "mkdocs.yml").read_text(encoding="utf-8").partition("\nnav:")[2]
    assert sorted(re.findall(r"(\w+\.md)$", navigation, flags=re.MULTILINE)) == [page.name for page in SITE]


def test_pages_load_nothing_from_elsewhere():
    """Neither fonts nor scripts nor pictures: the theme's defaults that would are off."""
    settings = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    assert "font: false" in settings
    assert not re.search(r"extra_javascript|extra_css|https?://", settings)
    assert [
        page.name for page in SITE if re.search(r"!\[[^\]]*\]\(https?:|<(img|script|iframe)", page.read_text())
    ] == []


@pytest.mark.parametrize(("page", "line"), RESTORING, ids=lambda value: str(value)[:60])
def test_lines_that_restore_would_be_carried_out(page, line, tmp_path, monkeypatch, run):
    """As a dry run: options, names and their combinations are right. `test_page_runs` restores the photos, too."""
    monkeypatch.chdir(tmp_path)
    words = words_of(line)
    place_what_is_named(words)
    given = input_of(words)
    if "--in-place" not in words and words[-1] != "-":
        words += ["--dry-run"] * ("--dry-run" not in words)
    ran = run(*words, stdin=given)
    assert ran.errors == []
    assert ran.code == 0


@pytest.mark.parametrize(("page", "line"), LINES, ids=lambda value: str(value)[:60])
def test_options_of_lines_exist(page, line):
    """Every command and option is known, and every value of the right kind."""
    command, words = parser(), words_of(line)
    if words[0] not in command.commands:
        words.insert(0, "restore")
    while hasattr(command, "commands"):
        name, *words = words
        command = command.commands[name]
        command = getattr(command, "command", command)
    command.make_context("unblur", words)


@pytest.mark.slow
@pytest.mark.parametrize("page", [page for page in SITE if page.stem not in OF_OTHER_TESTS], ids=lambda page: page.stem)
def test_page_runs(page, tmp_path, monkeypatch, run):
    """All blocks of a page from top to bottom in one folder."""
    monkeypatch.chdir(tmp_path)
    photo_of((96, 80)).save("photo.jpg")
    names: dict[str, object] = {}
    for language, text in blocks_of(page):
        for line in filter(is_run, unblur_lines(language, text)):
            words = words_of(two_steps(line) if line.startswith("unblur train") else line)
            place_what_is_named(words)
            may_exist = {"--in-place", "--resume", "--overwrite"} & set(words)
            again = ["--overwrite"] if is_restoring(line) and not may_exist else []
            assert run(*words, *again, stdin=input_of(words)).code == 0, line
        if language == "python":
            exec(text, names)


def test_every_reason_not_to_run_a_line_is_needed():
    assert [pattern for pattern in NOT_RUN if not any(re.search(pattern, line) for _, line in LINES)] == []


@pytest.mark.parametrize("page", [*SITE, ROOT / "README.md"], ids=lambda page: page.stem)
def test_commands_are_in_blocks_that_tests_find(page):
    """Not in indented ones, which have no language: those are for formulas and for what programs print."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    indented = re.findall(r"^(?: {4}|\t)(\S.*)", text, flags=re.MULTILINE)
    assert [line for line in indented if line.startswith(COMMANDS)] == []


@pytest.mark.parametrize("page", [*SITE, ROOT / "README.md"], ids=lambda page: page.stem)
def test_extras_that_are_installed_exist(page):
    known = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    named = re.findall(r"(?:unblur|\.)\[([a-z,]+)\]", page.read_text(encoding="utf-8"))
    assert {extra for extras in named for extra in extras.split(",")} <= set(known)


def test_costs_of_clusters_are_computed_from_stored_runs():
    spec = importlib.util.spec_from_file_location("cost", ROOT / "speed" / "cost.py")
    cost = importlib.util.module_from_spec(spec)
    sys.modules["cost"] = cost  # for its dataclass
    spec.loader.exec_module(cost)
    assert cost.tables() in (ROOT / "docs" / "cluster.md").read_text(encoding="utf-8")
