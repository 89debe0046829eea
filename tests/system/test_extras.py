import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from unblur.errors import MissingExtraError
from unblur.system.extras import EXTRAS, import_extra, missing_extra

PROJECT = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_table_is_that_of_the_project():
    declared = {
        (re.split(r"[\[<>=]", requirement)[0], extra)
        for extra, requirements in PROJECT["optional-dependencies"].items()
        for requirement in requirements
        if not requirement.startswith("unblur[")
    }
    brought_by_torchmetrics = {("torchvision", "metrics")}
    assert set(EXTRAS.values()) == declared | brought_by_torchmetrics


def test_what_is_there_is_imported():
    assert import_extra("skimage.measure", "a test") is sys.modules["skimage.measure"]


def test_what_is_missing_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "skimage.measure", None)
    with pytest.raises(MissingExtraError) as caught:
        import_extra("skimage.measure", "the metric blur_effect")
    assert str(caught.value) == (
        'the metric blur_effect needs scikit-image, which is not installed; install it with pip install "unblur[bench]"'
    )


def test_what_fails_on_import_is_named(monkeypatch, tmp_path):
    (tmp_path / "torchvision.py").write_text("raise RuntimeError('operator torchvision::nms does not exist')")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(MissingExtraError, match=r"fails on import \(operator torchvision::nms .*unblur\[metrics\]"):
        import_extra("torchvision", "the metric lpips")


def test_other_missing_modules_are_no_extras():
    assert missing_extra(ModuleNotFoundError(name="unblur.no_such"), "a test") is None


COMMANDS = {
    "train": ["train", "recipe.yaml"],
    "bench": ["experiment", "dublid-combinations", "--quick"],
    "app": ["app"],
    "server": ["serve"],
}


def test_every_command_says_which_extra_it_lacks(tmp_path):
    """In a process of its own, in which no optional package can be imported."""
    (tmp_path / "recipe.yaml").write_text("model: {}\n")
    code = (
        "import sys; from unblur.system.extras import EXTRAS; sys.modules.update(dict.fromkeys(EXTRAS));"
        "from unblur.cli.main import main;"
        f"print([main(words) for words in {list(COMMANDS.values())}])"
    )
    ran = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == str([2] * len(COMMANDS))
    errors = ran.stderr.splitlines()
    for error, (extra, words) in zip(errors, COMMANDS.items(), strict=True):
        assert error.startswith(f"unblur: error: unblur {words[0]} needs ")
        assert error.endswith(f'install it with pip install "unblur[{extra}]"')
