"""Weights by name: those that ship with unblur, and public ones that were downloaded; only reading imports torch."""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from unblur.errors import CheckpointError
from unblur.weights.cache import cache_folder, find_cached
from unblur.weights.files import read_bytes
from unblur.weights.parts import checksum_of_parts, part_files
from unblur.weights.public import PublicWeights, public_weights

if TYPE_CHECKING:
    from unblur.weights.checkpoint import Checkpoint

__all__ = ["Weights", "checksum_of", "find_weights", "is_whole", "read_weights", "shipped", "weights_for"]

_FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Weights:
    """A place where weights are.

    Attributes:
        name: Name in the lists of weights, or the path as the user wrote it.
        path: The file, or the folder of files.
        sha256: SHA-256 that it must have; empty: not known beforehand.
        method: Method that they were trained for, where known.
        summary: A line about them.
    """

    name: str
    path: Path
    sha256: str = ""
    method: str = ""
    summary: str = ""

    @property
    def card(self) -> Path:
        """Data, scores and limits, for people."""
        return self.path.with_suffix(".md")


def shipped(folder: Path = _FOLDER) -> dict[str, Weights]:
    """The weights that ship with unblur, by name."""
    listed = tomllib.loads((folder / "shipped.toml").read_text(encoding="utf-8"))
    return {
        name: Weights(name, folder / f"{name}.safetensors", facts["sha256"], facts["method"], facts["summary"])
        for name, facts in listed.items()
    }


def find_weights(given: str | os.PathLike[str], folder: Path = _FOLDER) -> Weights:
    """The place of weights.

    Args:
        given: A name of `shipped()` or `public_weights()`, or a file or folder; `./NAME` is always one of these.
        folder: Folder of the shipped weights.

    Raises:
        CheckpointError: There is neither such a name nor such a file, or public weights were not downloaded yet.
    """
    listed = shipped(folder)
    name = os.fspath(given)
    if name in listed:
        return listed[name]
    public = public_weights()
    if name in public:
        return _find_public(public[name])
    if not os.path.lexists(name):
        names = f"shipped weights: {', '.join(listed)}" if listed else "no weights are shipped with this version"
        raise CheckpointError(f"the weights {name}: there is no such file, and no weights of that name; {names}")
    return Weights(name, Path(name))


def is_whole(entry: Weights) -> bool:
    """Whether the file is there and has the checksum that it must have."""
    try:
        return sha256(read_bytes(entry.path)).hexdigest() == entry.sha256
    except CheckpointError:
        return False


def weights_for(method: str) -> list[str]:
    """Names of the public weights of a method, the first to try first."""
    return [name for name, entry in public_weights().items() if entry.method == method]


def _find_public(entry: PublicWeights) -> Weights:
    cached = find_cached(entry, cache_folder())
    if cached is None:
        raise CheckpointError(
            f"the weights {entry.name} were not downloaded yet; get them ({entry.bytes / 1e6:.0f} MB) with: "
            f"unblur weights get {entry.name}"
        )
    return Weights(entry.name, cached.path, cached.sha256, entry.method, entry.title)


def read_weights(given: str | os.PathLike[str], folder: Path = _FOLDER) -> Checkpoint:
    """The weights of a name or a file, read and checked.

    Args:
        given: Name or file, see `find_weights`.
        folder: Folder of the shipped weights.

    Raises:
        CheckpointError: They cannot be found or used; the message names them.
    """
    from unblur.weights.checkpoint import read_checkpoint  # noqa: PLC0415 - torch only where it is needed

    found = find_weights(given, folder)
    try:
        checkpoint = read_checkpoint(found.path, name=found.name if found.sha256 else found.path.name)
        if found.sha256 and checkpoint.sha256 != found.sha256:
            raise CheckpointError("is not the file that was expected (its checksum differs); install it anew")
    except CheckpointError as error:
        raise CheckpointError(f"the weights {found.name}: {error}") from error
    return checkpoint


def checksum_of(given: str | os.PathLike[str], folder: Path = _FOLDER) -> str:
    """The sha256 of the weights, without torch: as `Checkpoint.sha256`.

    Raises:
        CheckpointError: It cannot be found or read.
    """
    found = find_weights(given, folder)
    try:
        files = part_files(found.path) if found.path.is_dir() else [found.path]
        return found.sha256 or checksum_of_parts([sha256(read_bytes(file)).hexdigest() for file in files])
    except CheckpointError as error:
        raise CheckpointError(f"the weights {found.name}: {error}") from error
