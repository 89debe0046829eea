"""The record of a training run: its recipe, its data and the code that it is made of."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from unblur.datasets.shards import size_of_photo
from unblur.system.digests import digest_files
from unblur.system.run_record import Record, make_record

__all__ = ["WITHOUT_EFFECT", "training_record"]

WITHOUT_EFFECT = ("data.workers", "run.keep", "run.keep_going", "run.trained_on", "run.licence", "run.name")
"""Settings that change no weight."""

_AROUND = ("unblur.batch", "unblur.benchmarks", "unblur.cli", "unblur.experiments", "unblur.web")
"""Code that changes no weight, and of which more or less may be loaded."""


def training_record(recipe: Mapping[str, Any], objective: Any, streams: Mapping[str, Any]) -> Record:
    """The record of a run.

    Args:
        recipe: All settings, also those that have their default.
        objective: What is trained.
        streams: The streams by name. One that has `fingerprint()`, or `paths` of its files, is known by it.
    """
    return make_record(
        recipe,
        data={name: _fingerprint(stream) for name, stream in streams.items() if stream is not None},
        code=_code([objective, *streams.values()]),
        packages=("unblur", "torch", "lightning", "numpy"),
    )


def _fingerprint(stream: Any) -> str:
    """What the stream's files are, by their names and sizes: contents would take minutes to read."""
    if hasattr(stream, "fingerprint"):
        return str(stream.fingerprint())
    lines = sorted(f"{path.name} {size_of_photo(path)}" for path in map(Path, getattr(stream, "paths", ())))
    return f"{len(lines)} files, {hashlib.sha256(chr(10).join(lines).encode()).hexdigest()[:12]}"


def _code(parts: Iterable[Any]) -> dict[str, str]:
    """Checksums of the modules that the run is made of: of ours those that are loaded, and those of the parts."""
    ours = {name for name in sys.modules if name.startswith("unblur.") and not name.startswith(_AROUND)}
    names = sorted(ours | {type(part).__module__ for part in parts if part is not None})
    sources = {name: Path(source) for name in names if (source := getattr(sys.modules[name], "__file__", None))}
    return {name: digest_files([source], source.parent) for name, source in sources.items()}
