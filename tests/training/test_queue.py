"""The queue for a GPU: its lines can be given, in an order that works, and the script goes through them."""

import re
import shlex
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest
import yaml

from conftest import ROOT
from small_recipes import make_photos, make_small
from unblur.training import load_recipe


@pytest.fixture
def filler(monkeypatch) -> ModuleType:
    monkeypatch.syspath_prepend(ROOT / "recipes")
    return import_module("fill_gpu")


def test_every_training_can_be_given(filler, tmp_path):
    """Over photos of the test's own: weights and data of the queue are made by its earlier lines."""
    photos = make_photos(tmp_path)
    trainings = [run for run in filler.read_queue() if run.is_training]
    assert trainings
    for run in trainings:
        _, recipe, *words = shlex.split(re.sub(r"\{runs\}/\S+", "''", run.command))
        small = tmp_path / Path(recipe).name
        small.write_text(yaml.safe_dump(make_small(photos, yaml.safe_load((ROOT / recipe).read_text()))))
        load_recipe(small, [*words, *shlex.split(filler.REHEARSAL)])


def test_runs_come_after_those_that_they_begin_with(filler):
    seen: set[str] = set()
    for run in filler.read_queue():
        assert seen.issuperset(run.after)
        assert run.name not in seen
        seen.add(run.name)


def test_the_table_of_the_readme_is_that_of_the_queue(filler):
    text = (ROOT / "recipes" / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([\w/-]+)` \| (\d+) \| (.+?) \| (?:no|ten steps.*) \|$", text, flags=re.MULTILINE)
    assert rows == [(run.name, f"{run.minutes:g}", run.gain) for run in filler.read_queue()]


def test_the_first_open_run_is_next(filler, tmp_path):
    queue = [
        filler.Queued("a", "train a.yaml", 1, ""),
        filler.Queued("b", "train b.yaml", 1, "", after=("a",)),
        filler.Queued("c", "benchmark levin", 1, ""),
    ]
    assert filler.next_run(queue, tmp_path, set()).name == "a"
    assert filler.next_run(queue, tmp_path, {"a"}).name == "c"
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "net.safetensors").touch()
    assert filler.next_run(queue, tmp_path, set()).name == "b"
    assert filler.next_run(queue, tmp_path, {"b", "c"}) is None


def test_small_files_and_the_newest_checkpoint_are_kept(filler, tmp_path, monkeypatch):
    monkeypatch.setattr(filler, "LARGEST", 100)
    checkpoints = tmp_path / "runs" / "a" / "checkpoints"
    checkpoints.mkdir(parents=True)
    for name, size in (("net.safetensors", 99), ("log.csv", 5), ("large.safetensors", 100), ("lock", 1)):
        (checkpoints.parent / name).write_bytes(bytes(size))
    for step in (1, 2):
        (checkpoints / f"step-{step}.ckpt").write_bytes(bytes(step))
    filler.keep([filler.Queued("a", "train a.yaml", 1, "")], tmp_path / "runs", tmp_path / "kept")
    kept = {str(path.relative_to(tmp_path / "kept")) for path in (tmp_path / "kept").rglob("*") if path.is_file()}
    assert kept == {"a/net.safetensors", "a/log.csv", "a/checkpoints/step-2.ckpt"}


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_clock_stops_a_run_and_the_next_call_ends_it(filler, tmp_path, monkeypatch):
    """On a processor, with the two steps of a smoke recipe after a first call that had no time for them."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(filler, "_ON_GPU", filler.REHEARSAL.replace("max_steps 10", "max_steps 2"))
    run = filler.Queued("golf/smoke", "train recipes/golf/smoke.yaml --data.train.init_args.size 32", 1, "")
    assert filler.carry_on(run, tmp_path, 30)
    assert filler.carry_on(run, tmp_path, 500)
    assert run.is_done(tmp_path)
    assert filler.next_run([run], tmp_path, set()) is None
