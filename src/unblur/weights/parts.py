"""Networks that were published in several files, one for each part, in one folder. Nothing here imports torch."""

from __future__ import annotations

import os
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from unblur.errors import CheckpointError

__all__ = ["checksum_of_parts", "part_files", "part_names"]

_SUFFIXES = frozenset({".ckpt", ".pkl", ".pt", ".pth", ".safetensors"})
_MOST = 32


def part_files(folder: str | os.PathLike[str]) -> list[Path]:
    """The files of weights in a folder, in order of their names; hidden files, subfolders and other files are skipped.

    Raises:
        CheckpointError: There is none, there are more than 32, or the folder cannot be read.
    """
    try:
        files = sorted(path for path in Path(folder).iterdir() if path.suffix.lower() in _SUFFIXES and path.is_file())
    except OSError as error:
        raise CheckpointError(f"cannot be read: {error.strerror}".lower()) from error
    files = [path for path in files if not path.name.startswith(".")]
    if not files:
        raise CheckpointError(f"is a folder without files of weights in it ({', '.join(sorted(_SUFFIXES))})")
    if len(files) > _MOST:
        raise CheckpointError(f"is a folder of {len(files)} files; the parts of one network are at most {_MOST}")
    return files


def part_names(files: Sequence[str | os.PathLike[str]]) -> list[str]:
    """Names of the parts: those of the files without their endings.

    Raises:
        CheckpointError: Two of them are the same.
    """
    names = [Path(file).stem for file in files]
    if len(set(names)) < len(names):
        raise CheckpointError(f"two of the files have the same name: {', '.join(names)}")
    return names


def checksum_of_parts(checksums: Sequence[str]) -> str:
    """One SHA-256 for the SHA-256 of all files, in order of the files' names; that of a single file is its own."""
    return checksums[0] if len(checksums) == 1 else sha256("\n".join(checksums).encode()).hexdigest()
