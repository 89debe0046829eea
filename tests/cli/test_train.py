import subprocess
import sys

import pytest

from conftest import photo_of
from tiny_training import tiny_recipe, write_recipe


@pytest.fixture
def recipe(tmp_path):
    (tmp_path / "photos").mkdir()
    for number in range(2):
        photo_of((40, 32), number).save(tmp_path / "photos" / f"{number}.png")
    return write_recipe(tmp_path / "tiny.yaml", tiny_recipe(tmp_path / "photos"))


def test_a_recipe_with_changes(run, recipe, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ran = run("train", recipe, "--trainer.max_steps", "3", "--data.train.init_args.size=8")
    assert ran.code == 0
    assert ran.err.splitlines()[-1] == "done after step 3; the weights are in tiny.safetensors"
    assert (tmp_path / "runs" / "train" / tmp_path.name / "tiny" / "tiny.safetensors").is_file()


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--trainer.max_step", "3"], "trainer.max_step"),
        (["--data.train.init_args.size", "large"], "size"),
        (["--resume", "no-such.ckpt"], "no-such.ckpt does not exist"),
    ],
)
def test_wrong_use_is_one_line(run, recipe, tmp_path, words, reason):
    ran = run("train", recipe, "--out", tmp_path / "out", *words)
    assert ran.code == 2
    assert len(ran.errors) == 1
    assert reason in ran.errors[0]


@pytest.mark.parametrize("text", ["", "- a list", "model: [", "model: !!python/object/apply:os.getcwd []"])
def test_what_is_no_recipe(run, tmp_path, text):
    path = tmp_path / "odd.yaml"
    path.write_text(text, encoding="utf-8")
    ran = run("train", path, "--out", tmp_path / "out")
    assert ran.code == 2
    assert len(ran.errors) == 1


@pytest.mark.parametrize("words", [["train", "--help"], ["train"], ["train", "no-such.yaml"]])
def test_cheap_answers_leave_torch_alone(words):
    code = f"import sys; from unblur.cli.main import main; main({words!r}); print('torch' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines()[-1] == "False"
