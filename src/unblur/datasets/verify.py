"""Checks that a data set on this disk is complete and has the known files. Torch is imported to open pairs alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from unblur.datasets.catalog import DatasetEntry, Part, open_dataset, open_photos
from unblur.datasets.folders import find_root, set_folder
from unblur.errors import DataError, UnblurError, UsageError
from unblur.system.digests import digest_files

__all__ = ["CheckResult", "verify_dataset"]


@dataclass(frozen=True)
class CheckResult:
    """Result of one check.

    Attributes:
        what: The files or the split.
        is_good: Whether it is as expected.
        note: A sentence: what was expected and what was found.
    """

    what: str
    is_good: bool
    note: str


def verify_dataset(entry: DatasetEntry, root: Path | None = None, split: str | None = None) -> Iterator[CheckResult]:
    """Check the known files of a set, then open it as a benchmark would.

    Args:
        entry: The set.
        root: Folder with the set's folder in it, or that folder; None: see `find_root`.
        split: Check this split alone; None: all.

    Raises:
        UsageError: A form of your own, of which nothing is known beforehand, or no such split.
        DataError: There is no data folder at all.
    """
    if entry.kind == "own":
        raise UsageError(f"{entry.name} is a form for data of your own; there is nothing to compare them with")
    if split is not None and split not in entry.splits:
        raise UsageError(
            f"the data set {entry.name} has no split {split!r}; it has {', '.join(entry.splits) or 'none'}"
        )
    place = find_root(root)
    folder = set_folder(place, *entry.folders)
    for part in entry.parts:
        if split is None or part.files.startswith(f"{split}/"):
            yield _check_files(folder, part)
    for each in [split] if split else entry.splits or [None]:
        yield _open(entry, place, each)


def _check_files(folder: Path, part: Part) -> CheckResult:
    found = [path for path in folder.glob(part.files) if path.is_file()]
    if len(found) != part.count:
        return CheckResult(part.files, False, f"expected {_files(part.count)} in {str(folder)!r}; found {len(found)}")
    if not part.digest:
        return CheckResult(part.files, True, f"{_files(part.count)}; their contents are not known beforehand")
    try:
        digest = digest_files(found, folder)
    except OSError as error:
        raise DataError(f"a file of {part.files} cannot be read: {(error.strerror or '').lower()}") from error
    if digest != part.digest:
        return CheckResult(part.files, False, f"expected files with the digest {part.digest}; found {digest}")
    return CheckResult(part.files, True, f"{_files(part.count)} with the known contents")


def _files(count: int) -> str:
    return "1 file" if count == 1 else f"{count} files"


def _open(entry: DatasetEntry, root: Path, split: str | None) -> CheckResult:
    what = split or entry.kind
    expected = entry.splits[split] if split else entry.count
    try:
        count = len((open_dataset if entry.kind == "pairs" else open_photos)(entry.name, root, split))
    except UnblurError as error:
        return CheckResult(what, False, str(error))
    if expected not in {0, count}:
        return CheckResult(what, False, f"expected {expected} {entry.kind}; found {count}")
    return CheckResult(what, True, f"{count} {entry.kind}")
