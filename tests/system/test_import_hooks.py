"""Code that runs around the import of a module of another package."""

import sys
from contextlib import contextmanager, nullcontext
from importlib import import_module

import pytest

from unblur.system.import_hooks import run_around_import


@pytest.fixture
def module_file(tmp_path, monkeypatch):
    (tmp_path / "hooked_module.py").write_text("import sys\nsaw = 'hooked_probe' in sys.modules\nvalue = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    yield "hooked_module"
    sys.modules.pop("hooked_module", None)


@contextmanager
def around(module):
    sys.modules["hooked_probe"] = module
    yield
    del sys.modules["hooked_probe"]
    module.value += 1


def test_code_runs_inside_and_is_changed_afterwards(module_file):
    run_around_import(module_file, around)
    module = import_module(module_file)
    assert module.saw
    assert module.value == 2
    assert "hooked_probe" not in sys.modules


def test_it_is_set_up_once_and_not_for_what_is_imported(module_file):
    run_around_import(module_file, around)
    before = list(sys.meta_path)
    run_around_import(module_file, around)
    assert sys.meta_path == before
    run_around_import("json", around)
    assert sys.meta_path == before


def test_errors_of_the_module_come_through(module_file, tmp_path):
    (tmp_path / "hooked_module.py").write_text("raise RuntimeError('broken')\n")
    run_around_import(module_file, lambda _: nullcontext())
    with pytest.raises(RuntimeError, match="broken"):
        import_module(module_file)
