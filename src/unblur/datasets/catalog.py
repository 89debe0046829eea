"""The data sets that this package knows: contents, terms, origin and reader of each.

The facts are in `catalog.toml`; nothing here imports torch before a set is opened.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from unblur.datasets.folders import find_root
from unblur.errors import UsageError
from unblur.system.imports import load_object

if TYPE_CHECKING:
    from unblur.datasets.pairs import PairedSet
    from unblur.datasets.photos import PhotoSet

__all__ = ["DatasetEntry", "Part", "datasets", "find_dataset", "open_dataset", "open_photos"]


@dataclass(frozen=True)
class Part:
    """Files of a data set whose number and content are known.

    Attributes:
        files: Glob pattern below the set's folder.
        count: How many there are.
        digest: Checksum of all of them, see `system.digests.digest_files`; empty: not known.
    """

    files: str
    count: int
    digest: str = ""


@dataclass(frozen=True)
class DatasetEntry:
    """One data set.

    Attributes:
        name: What commands call it.
        title: What it is, in a line.
        kind: `"pairs"`: blurry and sharp; `"photos"`: unpaired photos; `"own"`: the form of a set of your own.
        citation: Who made it.
        terms: What its owners allow, as far as known.
        layout: The tree of files that its reader expects.
        get: How to get it.
        protocol: How restorations are scored on it; empty: they are not.
        encoding: Encoding in which the blur took place.
        not_for: What it may not be used for.
        reader: `module:function`; called with the root folder, and the split where there are splits.
        folders: Names that its folder may have below the root.
        splits: Its parts with the number of pairs or photos in each, the usual one last.
        count: Number of pairs or photos of a set without splits; 0: any.
        parts: Files with known checksums.
    """

    name: str
    title: str
    kind: Literal["pairs", "photos", "own"]
    citation: str
    terms: str
    layout: str
    get: str
    not_for: str
    protocol: str = ""
    encoding: str = ""
    reader: str = ""
    folders: tuple[str, ...] = ()
    splits: Mapping[str, int] = field(default_factory=dict[str, int])
    count: int = 0
    parts: tuple[Part, ...] = ()


@cache
def datasets() -> Mapping[str, DatasetEntry]:
    """All data sets by name."""
    text = files("unblur.datasets").joinpath("catalog.toml").read_text(encoding="utf-8")
    return {name: _entry(name, facts) for name, facts in tomllib.loads(text).items()}


def find_dataset(name: str) -> DatasetEntry:
    """The entry of that name.

    Raises:
        UsageError: There is none; the message lists the names.
    """
    if name not in datasets():
        raise UsageError(f"there is no data set named {name!r}; choose one of: {', '.join(datasets())}")
    return datasets()[name]


def open_dataset(name: str, root: Path | None = None, split: str | None = None) -> PairedSet:
    """The pairs of a data set.

    Args:
        name: A set of kind `pairs`.
        root: Folder with the set's folder in it, or that folder; None: see `find_root`.
        split: One of the entry's splits; None: the last, which is the one for testing where there is one.

    Raises:
        UsageError: No such set, no pairs in it, or no such split.
        DataError: The folder is missing or incomplete.
    """
    return _open(name, "pairs", root, split)


def open_photos(name: str, root: Path | None = None, split: str | None = None) -> PhotoSet:
    """The photos of a data set of kind `photos`; see `open_dataset`."""
    return _open(name, "photos", root, split)


def _open(name: str, kind: str, root: Path | None, split: str | None) -> Any:
    entry = find_dataset(name)
    if entry.kind != kind:
        raise UsageError(f"the data set {name} has no {kind} to open; see 'unblur data show {name}'")
    if split is not None and split not in entry.splits:
        known = f"choose one of: {', '.join(entry.splits)}" if entry.splits else "it has none"
        raise UsageError(f"the data set {name} has no split {split!r}; {known}")
    reader: Callable[..., Any] = load_object(entry.reader)
    place = find_root(root)
    return reader(place, split or list(entry.splits)[-1]) if entry.splits else reader(place)


def _entry(name: str, facts: Mapping[str, Any]) -> DatasetEntry:
    parts = tuple(Part(**part) for part in facts.get("parts", ()))
    words: dict[str, Any] = {key: value.strip() if isinstance(value, str) else value for key, value in facts.items()}
    words |= {"name": name, "parts": parts, "folders": tuple(facts.get("folders", ()))}
    return DatasetEntry(**words)
