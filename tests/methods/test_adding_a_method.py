"""Adding a method touches its folder and one line of the catalogue: tried on a copy of the package."""

import json
import os
import shutil
import subprocess
import sys
from difflib import ndiff

import numpy as np
import pytest
from PIL import Image

from conftest import ROOT

pytestmark = pytest.mark.usefixtures("quick_search")

SOURCE = ROOT / "src" / "unblur"
FOLDER = {
    "__init__.py": '"""Unsharp masking."""\n',
    "entry.py": '''"""The entry of `toy` in the list of methods."""

from unblur.methods.entry import Entry

__all__ = ["TOY"]

TOY = Entry(
    summary="unsharp masking, for a test",
    role="restorer",
    settings="unblur.methods.toy.settings:ToySettings",
    method="unblur.methods.toy.method:Toy",
    uses=frozenset({"seed"}),
)
''',
    "settings.py": '''"""Settings of `toy`."""

from dataclasses import dataclass
from typing import Annotated

__all__ = ["ToySettings"]


@dataclass(frozen=True)
class ToySettings:
    """Numbers of the method."""

    amount: Annotated[float, "Share of the details that is added."] = 0.5
''',
    "method.py": '''"""Unsharp masking with a mean of 3x3 pixels."""

from torch import Tensor
from torch.nn.functional import avg_pool2d

from unblur.methods.base import Restoration, Step, StepHook, Traits, ignore_step
from unblur.methods.options import RestoreOptions
from unblur.methods.toy.settings import ToySettings

__all__ = ["Toy"]


class Toy:
    """The method, ready to run."""

    traits = Traits(uses=frozenset({"seed"}))

    def __init__(self, settings: ToySettings) -> None:
        self.settings = settings

    def restore(self, blurry: Tensor, options: RestoreOptions, on_step: StepHook = ignore_step) -> Restoration[Tensor]:
        """The photo plus its details."""
        details = blurry - avg_pool2d(blurry, 3, stride=1, padding=1, count_include_pad=False)
        on_step(Step(1.0, "sharpening"))
        return Restoration(blurry + self.settings.amount * details)
''',
}
LINE = '    "toy": "unblur.methods.toy.entry:TOY",\n'
PROGRAM = """
import json, sys
import unblur
from unblur.cli.main import main
photo, out, report = sys.argv[1:]
commands = [
    ["methods"],
    ["methods", "toy"],
    ["restore", photo, "-o", out, "--method", "toy", "--set", "amount=1", "--region", "0,0,9,9", "--report", report],
]
codes = [main(words) for words in commands]
assert "torch" in sys.modules
answer = unblur.restore(photo, "toy", settings={"amount": 1.0}, seed=3)
print(json.dumps([codes, unblur.list_methods()["toy"], unblur.__file__, answer.image.pixels.tolist()]))
"""


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """A copy of the package without its weights, to which the method was added."""
    package = tmp_path_factory.mktemp("source") / "unblur"
    shutil.copytree(SOURCE, package, ignore=shutil.ignore_patterns("*.safetensors", "__pycache__"))
    (package / "methods" / "toy").mkdir()
    for name, text in FOLDER.items():
        (package / "methods" / "toy" / name).write_text(text, encoding="utf-8")
    catalog = package / "methods" / "catalog.py"
    before, last, after = catalog.read_text(encoding="utf-8").partition('    "input": ')
    catalog.write_text(before + LINE + last + after, encoding="utf-8")
    return package


def test_one_line_outside_of_its_folder(copy):
    changed = [
        line
        for path in SOURCE.rglob("*.py")
        for line in ndiff(*(file.read_text().splitlines() for file in (path, copy / path.relative_to(SOURCE))))
        if path.read_bytes() != (copy / path.relative_to(SOURCE)).read_bytes() and line[:2] != "  "
    ]
    assert changed == [f"+ {LINE.rstrip()}"]
    added = {
        path.relative_to(copy).as_posix()
        for path in copy.rglob("*.py")
        if not (SOURCE / path.relative_to(copy)).exists()
    }
    assert added == {f"methods/toy/{name}" for name in FOLDER}


def test_lists_command_line_and_python_know_it(copy, make_photo, tmp_path):
    photo, out, report = make_photo("photo.png"), tmp_path / "out.png", tmp_path / "report.jsonl"
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM, photo, out, report],
        env=os.environ | {"PYTHONPATH": str(copy.parent)},
        capture_output=True,
        text=True,
        check=True,
    )
    *listed, answer = ran.stdout.splitlines()
    assert "amount" in "\n".join(listed)
    codes, summary, place, pixels = json.loads(answer)
    assert codes == [0, 0, 0]
    assert summary == "unsharp masking, for a test"
    assert place.startswith(str(copy))
    blurry, sharpened = (np.asarray(Image.open(path), float) for path in (photo, out))
    assert np.array_equal(sharpened, pixels)
    assert np.abs(np.diff(sharpened, axis=0)).mean() > np.abs(np.diff(blurry, axis=0)).mean()
    [row] = [json.loads(line) for line in report.read_text().splitlines()]
    assert row["method"] == "toy"
    assert any("does not use region" in warning for warning in row["warnings"])
