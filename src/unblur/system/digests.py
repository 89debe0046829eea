"""Checksums of data and of code, so that numbers of two versions are never taken for one."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

__all__ = ["digest_code", "digest_files"]


def digest_files(paths: Iterable[Path], folder: Path) -> str:
    """16 hexadecimal digits that stand for the names and contents of files.

    SHA-256 of a line for each file in order of their places: its place below `folder`, a tab, and the first 16 digits
    of its own SHA-256.
    """
    whole = hashlib.sha256()
    for place, path in sorted((path.relative_to(folder).as_posix(), path) for path in paths):
        with path.open("rb") as file:
            whole.update(f"{place}\t{hashlib.file_digest(file, 'sha256').hexdigest()[:16]}\n".encode())
    return whole.hexdigest()[:16]


def digest_code(patterns: Iterable[str]) -> str:
    """The digest of this package's files that match the patterns, such as `"blur/*.py"`."""
    package = Path(__file__).parents[1]
    return digest_files({path for pattern in patterns for path in package.glob(pattern)}, package)
