"""The folder of downloaded weights: for each name a file, its record and its licence.

A record is written last, so a file without one is not there yet. It holds the file's checksum with size and time of
change: as long as these two stay, the file need not be read again to be known.
"""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from platformdirs import user_cache_path

from unblur.errors import CheckpointError, UnblurError
from unblur.system.atomic import atomic_write
from unblur.weights.public import PublicWeights

__all__ = ["CACHE_VARIABLE", "CachedWeights", "cache_folder", "find_cached", "record"]

CACHE_VARIABLE = "UNBLUR_WEIGHTS_CACHE"
"""Environment variable that names another folder."""


@dataclass(frozen=True)
class CachedWeights:
    """Weights that are here.

    Attributes:
        path: The file.
        sha256: SHA-256 of the file.
        source: Where it was downloaded from.
    """

    path: Path
    sha256: str
    source: str


@dataclass(frozen=True)
class _Record:
    sha256: str
    bytes: int
    changed_ns: int
    source: str


def cache_folder() -> Path:
    """Folder of downloaded weights, whether it exists or not."""
    return Path(os.environ.get(CACHE_VARIABLE) or user_cache_path("unblur") / "weights")


def find_cached(entry: PublicWeights, folder: Path) -> CachedWeights | None:
    """The weights, if they were downloaded; their checksum is right.

    Raises:
        CheckpointError: The file has changed since it was downloaded.
    """
    kept = _read_record(entry, folder)
    path = folder / entry.file
    if kept is None or not path.is_file():
        return None
    facts = path.stat()
    if (facts.st_size, facts.st_mtime_ns) != (kept.bytes, kept.changed_ns):
        if _digest(path) != kept.sha256:
            raise CheckpointError(
                f"the weights {entry.name}: the file has changed since it was downloaded; get it again with: "
                f"unblur weights get {entry.name}"
            )
        with suppress(UnblurError):  # somebody else's folder: then it is read each time
            record(entry, folder, kept.source)
    return CachedWeights(path, kept.sha256, kept.source)


def record(entry: PublicWeights, folder: Path, source: str) -> CachedWeights:
    """Record size, time of change and checksum of the file that now has its name.

    Raises:
        OutputError: The folder cannot be written to.
    """
    path = folder / entry.file
    facts = path.stat()
    kept = _Record(_digest(path), facts.st_size, facts.st_mtime_ns, source)
    atomic_write(folder / f"{entry.name}.json", json.dumps(asdict(kept)).encode(), overwrite=True)
    return CachedWeights(path, kept.sha256, source)


def _read_record(entry: PublicWeights, folder: Path) -> _Record | None:
    try:
        facts = json.loads((folder / f"{entry.name}.json").read_bytes())
        return _Record(str(facts["sha256"]), int(facts["bytes"]), int(facts["changed_ns"]), str(facts["source"]))
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return None


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
