"""How threads wait is decided once, before PyTorch is loaded, and never against the environment."""

import os
import subprocess
import sys

import pytest

from unblur.system.openmp import wait_briefly

SHOWS = """
import os, sys
from unblur.cli.main import main
main(["--version"])
print(os.environ.get("GOMP_SPINCOUNT"), "torch" in sys.modules)
"""


def test_it_is_said_before_torch_is_loaded():
    rest = {name: value for name, value in os.environ.items() if name not in {"GOMP_SPINCOUNT", "OMP_WAIT_POLICY"}}
    done = subprocess.run([sys.executable, "-c", SHOWS], env=rest, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "1000 False"


@pytest.mark.parametrize("given", [{"GOMP_SPINCOUNT": "7"}, {"OMP_WAIT_POLICY": "active"}])
def test_the_environment_has_its_way(monkeypatch, given):
    for name in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    wait_briefly()
    assert {name: os.environ[name] for name in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY") if name in os.environ} == given
