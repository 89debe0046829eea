"""On what and with what something ran: without it a number cannot be compared."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

__all__ = ["commit", "hardware", "run_facts", "versions"]


def run_facts() -> dict[str, Any]:
    """Hardware, commit, date and versions, ready for JSON."""
    found = versions(("unblur", "torch"))
    return {
        "hardware": hardware(),
        "commit": commit(),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "version": found["unblur"],
        "torch": found["torch"],
        "python": platform.python_version(),
    }


def hardware() -> str:
    """The processor, how many of its cores this process may use, the system, and the GPUs that torch sees."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    processor = f"{_processor()}, {cores} {'core' if cores == 1 else 'cores'}, {platform.system()}"
    return "; ".join([processor, *_gpus()])


def versions(packages: Iterable[str]) -> dict[str, str | None]:
    """The version of each distribution; None where it is not installed."""
    found: dict[str, str | None] = {}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = None
    return found


def commit() -> str | None:
    """The commit of the package's source, with `+dirty` if a file of it differs or is new; None outside git."""
    folder = Path(__file__).parents[1]
    head = _git(folder, "rev-parse", "HEAD")
    if head is None:
        return None
    return head + ("+dirty" if _git(folder, "status", "--porcelain", "--", ".") else "")


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _gpus() -> list[str]:
    torch = sys.modules.get("torch")  # who computes on a GPU has imported it
    return sorted({torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count())}) if torch else []


def _git(folder: Path, *words: str) -> str | None:
    try:
        answer = subprocess.run(  # noqa: S603 - fixed words
            ["git", "--no-optional-locks", "-C", str(folder), *words],  # noqa: S607 - the user's own git
            capture_output=True,
            text=True,
            timeout=30,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip()
