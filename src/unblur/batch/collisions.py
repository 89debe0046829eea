"""No file is written by two photos, and none onto a file that is read: checked on the whole plan."""

from __future__ import annotations

import os
import re
from collections.abc import Hashable, Iterable, Mapping, Sequence
from pathlib import Path

from unblur.batch.jobs import PhotoJob
from unblur.batch.places import Place
from unblur.errors import UsageError
from unblur.system.stores import Address

__all__ = ["check_collisions"]

_STEP = re.compile(r"(.+)\.step-\d+\.png")


def check_collisions(
    jobs: Sequence[PhotoJob], records: Mapping[str, str | None], read_too: Iterable[str | os.PathLike[str]] = ()
) -> None:
    """Refuse a plan in which two files would have one name.

    Args:
        jobs: One for each photo.
        records: Files about all photos by what they are ("the report"): a name, `-` for standard output, None: none.
        read_too: Further files that are read: lists, kernels, weights.

    Raises:
        UsageError: Two files with one name, or an output that is an input.
    """
    sources: dict[Hashable, Place] = {identity: Path(path) for path in read_too if (identity := _identity(Path(path)))}
    sources |= {identity: job.input for job in jobs if job.input and (identity := _identity(job.input))}
    writers = _Writers()
    for what, place in records.items():
        if place is not None:
            path = None if place == "-" else Path(place)
            writers.add(path, what)
            _refuse_source(path, sources, "choose another name")
    for job in jobs:
        for path in (job.output, *job.side_outputs()):
            writers.add(path, _show(job.input))
            if path != job.output:
                _refuse_source(path, sources, "choose another name")
            elif not job.in_place:
                _refuse_source(path, sources, "--in-place allows that")
        if job.steps:
            writers.add_steps(job.steps, _show(job.input))
    writers.check_steps(job.input for job in jobs if isinstance(job.input, Path))


class _Writers:
    """Who writes which file."""

    def __init__(self) -> None:
        self._by_path: dict[Place | None, str] = {}
        self._by_stem: dict[Path, str] = {}
        self._folders: dict[Path, Path] = {}

    def add(self, path: Place | None, writer: str) -> None:
        real = self._resolve(path) if isinstance(path, Path) else path
        if real in self._by_path:
            raise UsageError(f"{self._by_path[real]} and {writer} would both be written to {_show(path)}")
        self._by_path[real] = writer

    def add_steps(self, stem: Path, writer: str) -> None:
        real = self._resolve(stem)
        if real in self._by_stem:
            raise UsageError(f"the steps of {self._by_stem[real]} and {writer} would have the same names")
        self._by_stem[real] = writer

    def check_steps(self, inputs: Iterable[Path]) -> None:
        """How many steps there are is not known yet, so no other file may have the name of any."""
        if not self._by_stem:
            return
        written = (path for path in self._by_path if isinstance(path, Path))
        for path in (*written, *map(self._resolve, inputs)):
            match = _STEP.fullmatch(path.name)
            owner = self._by_stem.get(path.with_name(match[1])) if match else None
            if owner:
                raise UsageError(f"a step of {owner} could be written to {path}, which is an input or another output")

    def _resolve(self, path: Path) -> Path:
        """The path with its folder, not itself, freed of links."""
        if path.parent not in self._folders:
            self._folders[path.parent] = path.parent.resolve()
        return self._folders[path.parent] / path.name


def _refuse_source(target: Place | None, sources: dict[Hashable, Place], advice: str) -> None:
    identity = target and _identity(target)
    if identity in sources:
        raise UsageError(f"the output {_show(target)} is the input {_show(sources[identity])}; {advice}")


def _identity(path: Place) -> Hashable:
    """What makes two names the same file: links, `./` and the case of letters do not matter; None: there is no file."""
    if isinstance(path, Address):
        return path
    try:
        facts = path.stat()
    except (OSError, ValueError):
        return None
    return facts.st_dev, facts.st_ino


def _show(path: Place | None) -> str:
    return "-" if path is None else str(path)
