"""A checksum of the code that decides a number, so that numbers of two versions are never taken for one."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import unblur

__all__ = ["code_digest"]


def code_digest(patterns: Sequence[str]) -> str:
    """16 hex digits over the package's files that match the patterns, such as `"blur/*.py"`."""
    package = Path(unblur.__path__[0])
    digest = hashlib.sha256()
    for path in sorted({path for pattern in patterns for path in package.glob(pattern)}):
        digest.update(str(path.relative_to(package)).encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]
