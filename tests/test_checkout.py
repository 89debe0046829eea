"""The tests themselves, in a checkout that only its owner may enter."""

import os
import shutil
import subprocess
import sys

import pytest

from conftest import ROOT

OF_PERMISSIONS = ("tests/cli/test_file_system.py", "tests/system/test_atomic.py")


@pytest.mark.slow
def test_below_a_folder_of_mode_700(tmp_path):
    """As after `git clone` into what `mktemp -d` made: root, too, passes those tests that are about permissions."""
    tmp_path.chmod(0o700)
    checkout = tmp_path / "unblur"
    for part in ("src", "tests"):
        shutil.copytree(ROOT / part, checkout / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", checkout)
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *OF_PERMISSIONS],
        check=False,
        cwd=checkout,
        env=os.environ | {"PYTHONPATH": str(checkout / "src")},
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stdout
