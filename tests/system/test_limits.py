"""Limits of the system on a process."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

CODE = """
import resource
from unblur.system import limits
print(limits.allow_more_processor_time(30), resource.getrlimit(resource.RLIMIT_CPU)[0])
print(limits.allow_more_memory(1 << 30), resource.getrlimit(resource.RLIMIT_AS)[0])
print(limits.describe_processor_limit(30))
print(limits.describe_memory_limit())
"""


def _run_under(limits: str) -> list[str]:
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2] / "src"), "OPENBLAS_NUM_THREADS": "1"}
    command = ["/bin/sh", "-c", f"{limits} exec {sys.executable} -c '{CODE}'"]
    return subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout.splitlines()


def test_without_limits_what_is_wanted_is_set() -> None:
    processor, memory, *words = _run_under("")
    assert processor.startswith("True")
    assert 30 <= int(processor.split()[1]) <= 33
    assert memory.startswith("True")
    assert int(memory.split()[1]) > 1 << 30
    assert words == ["", ""]


@pytest.mark.parametrize("kind", ["", "-S "])
def test_a_limit_that_was_set_outside_stays(kind: str) -> None:
    assert _run_under(f"ulimit {kind}-t 20; ulimit {kind}-v 900000;") == [
        "False 20",
        "False 921600000",
        "20 s of processor time (ulimit -t)",
        "922 MB of memory (ulimit -v)",
    ]
