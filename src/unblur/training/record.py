"""What a run was made of, kept with it, and compared when it is taken up again."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

from unblur.system.facts import commit, hardware

__all__ = ["differences", "make_record"]

_PACKAGES = ("unblur", "torch", "lightning", "numpy")

_WITHOUT_EFFECT = ("data.workers", "run.keep", "run.keep_going", "run.trained_on", "run.licence", "run.name")
"""Settings that change no weight."""

_AROUND = ("unblur.batch", "unblur.benchmarks", "unblur.cli", "unblur.experiments", "unblur.web")
"""Code that changes no weight, and of which more or less may be loaded."""

_COMPARED = {"recipe": "", "data": "data of ", "code": "code of ", "versions": "version of "}
"""Parts of the record that decide the weights, and how a difference in them is named."""


def make_record(recipe: Mapping[str, Any], objective: Any, streams: Mapping[str, Any]) -> dict[str, Any]:
    """Settings, data, code and machine, as plain values ready for JSON.

    Args:
        recipe: All settings, also those that have their default.
        objective: What is trained.
        streams: The streams by name. One that has `fingerprint()`, or `paths` of its files, is known by it.
    """
    return {
        "recipe": _flat(recipe),
        "data": {name: _fingerprint(stream) for name, stream in streams.items() if stream is not None},
        "code": _code([objective, *streams.values()]),
        "versions": {package: _version(package) for package in _PACKAGES},
        "commit": commit(),
        "hardware": _machine(),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What is not as it was and decides the weights, each as `NAME was A, is B`."""
    found: list[str] = []
    for part, words in _COMPARED.items():
        old, new = before.get(part, {}), now.get(part, {})
        names = sorted({*old, *new} - set(_WITHOUT_EFFECT))
        changed = [name for name in names if old.get(name) != new.get(name)]
        found += [f"{words}{name} was {_short(old.get(name))}, is {_short(new.get(name))}" for name in changed]
    return found


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested settings by dotted name."""
    flat: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{name}.")
        else:
            flat[prefix + name] = value
    return flat


def _fingerprint(stream: Any) -> str:
    """What the stream's files are, by their names and sizes: contents would take minutes to read."""
    if hasattr(stream, "fingerprint"):
        return str(stream.fingerprint())
    lines = sorted(f"{path.name} {path.stat().st_size}" for path in map(Path, getattr(stream, "paths", ())))
    return f"{len(lines)} files, {_digest(chr(10).join(lines).encode())}"


def _code(parts: Iterable[Any]) -> dict[str, str]:
    """Checksums of the modules that the run is made of: of ours those that are loaded, and those of the parts."""
    ours = {name for name in sys.modules if name.startswith("unblur.") and not name.startswith(_AROUND)}
    names = sorted(ours | {type(part).__module__ for part in parts if part is not None})
    sources = {name: getattr(sys.modules[name], "__file__", None) for name in names}
    return {name: _digest(Path(source).read_bytes()) for name, source in sources.items() if source}


def _machine() -> str:
    """Processor, and the devices that there are."""
    devices = {torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count())}
    return "; ".join([hardware(), *sorted(devices)])


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:12]


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _short(value: object) -> str:
    text = "not there" if value is None else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
