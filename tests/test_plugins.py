"""Plug-ins of other programs: they call the real program, and run in the program that they are for where it is here."""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from PIL import Image

GIMP = Path(__file__).parents[1] / "plugins" / "gimp" / "unblur"
CONSOLE = next(filter(None, map(shutil.which, ("gimp-console-3.0", "gimp-console-3"))), None)


@pytest.fixture
def call(monkeypatch) -> ModuleType:
    monkeypatch.setenv("UNBLUR", f"{sys.executable} -m unblur")
    spec = importlib.util.spec_from_file_location("call", GIMP / "call.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_file_is_restored_with_options(call, make_photo, tmp_path):
    call.restore_file(make_photo(), tmp_path / "out.png", "--method input --strength '0.5'")
    with Image.open(tmp_path / "out.png") as image:
        assert image.size == (48, 32)


def test_what_went_wrong_is_one_sentence(call, make_photo, tmp_path, monkeypatch):
    with pytest.raises(call.UnblurError, match=r"^unblur: error: .*does not exist$"):
        call.restore_file(tmp_path / "missing.png", tmp_path / "out.png", "--method input")
    with pytest.raises(call.UnblurError, match="options cannot be read"):
        call.restore_file(make_photo(), tmp_path / "out.png", "--set 'x")
    monkeypatch.setenv("UNBLUR", "no-such-program")
    with pytest.raises(call.UnblurError, match="there is no program no-such-program; set UNBLUR"):
        call.restore_file(make_photo(), tmp_path / "out.png")


def test_is_python_that_gimp_starts():
    """GIMP starts a file that is executable and named like its folder."""
    plugin = GIMP / f"{GIMP.name}.py"
    assert os.access(plugin, os.X_OK)
    assert plugin.read_text().startswith("#!/usr/bin/env python3\n")
    compile(plugin.read_text(), str(plugin), "exec")


IN_GIMP = """
from gi.repository import Gimp, Gio
image = Gimp.file_load(Gimp.RunMode.NONINTERACTIVE, Gio.File.new_for_path({photo!r}))
procedure = Gimp.get_pdb().lookup_procedure("plug-in-unblur")
config = procedure.create_config()
config.set_property("image", image)
config.set_core_object_array("drawables", image.get_layers())
config.set_property("options", "--method input")
result = procedure.run(config)
names = [layer.get_name() for layer in image.get_layers()]
open({report!r}, "w").write(repr((result.index(0) == Gimp.PDBStatusType.SUCCESS, names)))
"""


@pytest.mark.slow
@pytest.mark.skipif(CONSOLE is None, reason="no GIMP 3")
def test_in_gimp_itself(make_photo, tmp_path):
    photo, report = make_photo(), tmp_path / "report.txt"
    shutil.copytree(GIMP, tmp_path / "config/plug-ins/unblur")
    environment = {**os.environ, "GIMP3_DIRECTORY": str(tmp_path / "config"), "UNBLUR": f"{sys.executable} -m unblur"}
    script = IN_GIMP.format(photo=str(photo), report=str(report))
    command = [CONSOLE, "-i", "--batch-interpreter=python-fu-eval", "-b", script, "--quit"]
    subprocess.run(command, env=environment, check=True, timeout=250)
    succeeded, names = eval(report.read_text())
    assert succeeded
    restored, original = names
    assert restored == f"{original}, unblurred"
