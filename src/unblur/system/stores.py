"""Object stores (`s3://`, `gs://`), through fsspec: what is kept there, read, written whole, and noted beside.

Stores put an object at once or not at all, so nothing half-written ever has a name. Answers that fail (errors of the
server, connections that stall or break) are repeated by the store's own library; what fails for good is one sentence.
A note on an object is an object of its own, `.unblur/NAME.json` beside it, written first: a run that is killed between
the two leaves a note on bytes that are not there yet, which is seen by their checksum.
"""

from __future__ import annotations

import errno
import json
import re
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from hashlib import md5, sha256
from pathlib import Path, PurePath, PurePosixPath
from typing import Any

from unblur.errors import MissingExtraError, OutputError, ReadError, WriteError
from unblur.system.extras import import_extra
from unblur.system.file_notes import FileNote

__all__ = ["NOTES_FOLDER", "Address", "ObjectFacts", "is_store"]

NOTES_FOLDER = ".unblur"

_SETTINGS: dict[str, dict[str, Any]] = {
    "s3": {
        # What others write meanwhile is seen.
        "use_listings_cache": False,
        # Errors of the server are tried four times here; what breaks or stalls, five times more by s3fs.
        "config_kwargs": {
            "connect_timeout": 5,
            "read_timeout": 15,
            "retries": {"mode": "standard", "max_attempts": 4},
        },
    },
    "gs": {"use_listings_cache": False},
    "memory": {},
}
"""The stores, by the protocol of their addresses, with what fsspec is asked to do; `memory` is one for tests."""


_ATTEMPTS = 3
_PATIENCE = 60.0
"""Seconds for the answer to one question, in which the library of the store tries several times."""
_SLOWEST = 100_000
"""Bytes a second that a connection has to carry beyond that."""
_UNKNOWN = 60_000_000
"""Bytes that are allowed for where their number is not known."""


@dataclass(frozen=True)
class ObjectFacts:
    """What a store says of an object.

    Attributes:
        st_size: Bytes.
        st_mtime_ns: When it was written, in nanoseconds; 0: unknown.
        md5: MD5 of its bytes in hexadecimal digits, where the store tells it; else empty, or another checksum.
    """

    st_size: int
    st_mtime_ns: int
    md5: str


@dataclass(frozen=True)
class Address:
    """Where an object is, or a folder of them; it behaves as the paths of `pathlib` do.

    Attributes:
        protocol: `s3`, `gs`.
        key: Bucket and key, without a slash at either end.
    """

    protocol: str
    key: str

    @classmethod
    def parse(cls, text: str) -> Address:
        """The address `PROTOCOL://BUCKET/KEY`."""
        protocol, _, key = text.partition("://")
        return cls(protocol, key.strip("/"))

    def __str__(self) -> str:
        """As it is parsed."""
        return f"{self.protocol}://{self.key}"

    def __truediv__(self, below: str | PurePath) -> Address:
        """What is below it."""
        return Address(self.protocol, f"{self.key}/{PurePath(below).as_posix()}")

    @property
    def name(self) -> str:
        """What follows the last slash."""
        return self.key.rpartition("/")[2]

    @property
    def suffix(self) -> str:
        """The name's, with its dot."""
        return PurePosixPath(self.name).suffix

    @property
    def stem(self) -> str:
        """The name without its suffix."""
        return PurePosixPath(self.name).stem

    @property
    def parent(self) -> Address:
        """The folder."""
        return Address(self.protocol, self.key.rpartition("/")[0])

    def with_name(self, name: str) -> Address:
        """Another name in the same folder."""
        return self.parent / name

    def with_suffix(self, suffix: str) -> Address:
        """The same name with another suffix."""
        return self.with_name(self.stem + suffix)

    def is_below(self, folder: Address) -> bool:
        """Whether it lies in that folder, or below."""
        return self.protocol == folder.protocol and f"{self.key}/".startswith(f"{folder.key}/")

    def exists(self) -> bool:
        """Whether there is an object of that name.

        Raises:
            ReadError: The store does not answer.
        """
        try:
            self.stat()
        except FileNotFoundError:
            return False
        return True

    def is_folder(self) -> bool:
        """Whether there are objects below it."""
        with _reading():
            return self._ask("isdir", self.key)

    def stat(self) -> ObjectFacts:
        """What the store says of the object.

        Raises:
            FileNotFoundError: There is none.
            ReadError: The store does not answer.
        """
        with _reading():
            facts = self._ask("info", self.key)
        if facts["type"] != "file":
            raise FileNotFoundError(errno.ENOENT, "does not exist", str(self))
        return ObjectFacts(int(facts["size"]), _time_ns(facts), str(facts.get("ETag", "")).strip('"'))

    def read_bytes(self) -> bytes:
        """The object.

        Raises:
            FileNotFoundError: There is none.
            ReadError: The store does not answer.
        """
        with _reading():
            return self._ask("cat_file", self.key, size=_UNKNOWN)

    def fetch(self, file: Path) -> None:
        """Write the object into a file.

        Raises:
            FileNotFoundError: There is none.
            ReadError: The store does not answer, or sends less than there is.
        """
        size = self.stat().st_size
        with _reading():
            self._ask("get_file", self.key, str(file), size=size)
        if file.stat().st_size != size:
            raise ReadError(f"cannot be fetched: {file.stat().st_size} of {size} bytes came")

    def write(self, data: bytes, *, overwrite: bool = False) -> None:
        """Put an object.

        Args:
            data: Its bytes.
            overwrite: Replace one of that name.

        Raises:
            WriteError: The name is taken, or the store does not answer.
            OutputError: The store takes nothing here.
        """
        try:
            with _writing():
                self._ask("pipe_file", self.key, data, mode="overwrite" if overwrite else "create", size=len(data))
        except WriteError:
            # The answer to a first attempt that succeeded may have been lost.
            if overwrite or not self.holds(data):
                raise

    def holds(self, data: bytes) -> bool:
        """Whether the object has these very bytes."""
        with suppress(OSError, ReadError):
            return self.stat().st_size == len(data) and self.read_bytes() == data
        return False

    def files(self, *, recursive: bool) -> Iterator[Address]:
        """The objects in this folder, sorted.

        Args:
            recursive: And those in all folders below.
        """
        with _reading():
            found = self._ask("find", self.key, maxdepth=None if recursive else 1, size=_UNKNOWN)
        yield from (Address(self.protocol, key.strip("/")) for key in sorted(found))

    def folders(self) -> list[Address]:
        """The folders in this one."""
        with _reading():
            entries = self._ask("ls", self.key, detail=True, size=_UNKNOWN)
        return [Address(self.protocol, one["name"].strip("/")) for one in entries if one["type"] == "directory"]

    def match(self) -> list[Address]:
        """The objects that it means as a pattern, sorted."""
        with _reading():
            return [
                Address(self.protocol, key.strip("/")) for key in sorted(self._ask("glob", self.key, size=_UNKNOWN))
            ]

    def describe(self) -> dict[str, Any]:
        """Size, time and SHA-256 of the object.

        Raises:
            FileNotFoundError: There is none.
            ReadError: The store does not answer.
        """
        facts = self.stat()
        digest = sha256(self.read_bytes()).hexdigest()
        return {"size": facts.st_size, "mtime_ns": facts.st_mtime_ns, "sha256": digest}

    def is_described(self, description: Any) -> bool:
        """Whether it is the object, or the file, that was described: by size and time, checksum, or content."""
        if not isinstance(description, dict):
            return False
        try:
            facts = self.stat()
            if facts.st_size != description.get("size"):
                return False
            is_known = facts.md5 and facts.md5 == description.get("md5")
            if is_known or (facts.st_mtime_ns and facts.st_mtime_ns == description.get("mtime_ns")):
                return True
            return sha256(self.read_bytes()).hexdigest() == description.get("sha256")
        except (OSError, ReadError):
            return False

    def attach_note(self, data: bytes, values: dict[str, Any]) -> None:
        """Note something of the object that is, or is about to be, under this name.

        Args:
            data: Its bytes.
            values: What JSON can hold.

        Raises:
            WriteError: The store does not answer.
            OutputError: The store takes nothing here.
        """
        # For noticing changes, not for secrecy: stores give it without sending the object.
        checksums = {"md5": md5(data, usedforsecurity=False).hexdigest(), "sha256": sha256(data).hexdigest()}
        note = {"values": values, "file": {"size": len(data), **checksums}}
        # The one before stays true until the new bytes are there.
        self._note.write(json.dumps([*self._notes()[-1:], note]).encode(), overwrite=True)

    def read_note(self) -> FileNote | None:
        """What was noted; None: nothing."""
        notes = self._notes()
        if not notes:
            return None
        current = next((note for note in reversed(notes) if self.is_described(note.get("file"))), None)
        return FileNote((current or notes[-1])["values"], current is not None)

    @property
    def _note(self) -> Address:
        return self.parent / NOTES_FOLDER / f"{self.name}.json"

    def _notes(self) -> list[dict[str, Any]]:
        try:
            notes = json.loads(self._note.read_bytes())
        except (FileNotFoundError, ValueError, RecursionError):
            return []
        is_ours = isinstance(notes, list) and all(
            isinstance(note, dict) and isinstance(note.get("values"), dict) for note in notes
        )
        return notes if is_ours else []

    def _ask(self, question: str, *words: Any, size: int = 0, **more: Any) -> Any:
        """The store's answer, asked for again where none comes.

        The library's own patience has no end where a server takes a request and then says nothing.

        Args:
            question: Name of a method of fsspec's file systems.
            words: Its arguments.
            size: Bytes that are on the way.
            more: Its arguments by name.
        """
        ask = getattr(self._store, question)
        if not self._store.async_impl:  # without a network
            return ask(*words, **more)
        patience = _PATIENCE + size / _SLOWEST
        for _ in range(_ATTEMPTS - 1):
            with suppress(TimeoutError):
                return ask(*words, timeout=patience, **more)
        try:
            return ask(*words, timeout=patience, **more)
        except TimeoutError as error:
            raise TimeoutError(f"no answer came within {patience:.0f} s, {_ATTEMPTS} times") from error

    @property
    def _store(self) -> Any:
        fsspec = import_extra("fsspec", f"{self.protocol}://")
        if self.protocol == "s3":
            import_extra("s3fs", "s3://")
        try:
            return fsspec.filesystem(self.protocol, **_SETTINGS[self.protocol])
        except ImportError as error:
            raise MissingExtraError(f"{self.protocol}:// needs another package: {error}") from error


def is_store(name: str) -> bool:
    """Whether it is the address of an object in a store that can be read and written."""
    return re.match(rf"({'|'.join(_SETTINGS)})://", name) is not None


@contextmanager
def _reading() -> Generator[None]:
    """Errors of a store, each library's own, as the error of a file that does not exist, or as `ReadError`."""
    try:
        yield
    except FileNotFoundError as error:
        raise FileNotFoundError(errno.ENOENT, "does not exist") from error
    except PermissionError as error:
        raise ReadError("cannot be read: the store denies it; check the credentials") from error
    except MissingExtraError:
        raise
    except Exception as error:  # of any kind: those of sockets, of HTTP, of the store's own library
        raise ReadError(f"cannot be read from the store: {_reason(error)}") from error


@contextmanager
def _writing() -> Generator[None]:
    try:
        yield
    except FileExistsError as error:
        raise WriteError("exists already; choose another name or allow overwriting") from error
    except FileNotFoundError as error:
        raise OutputError("the bucket for outputs does not exist") from error
    except PermissionError as error:
        raise OutputError("the store of the outputs denies writing; check the credentials") from error
    except MissingExtraError:
        raise
    except Exception as error:  # as above
        raise WriteError(f"cannot be written to the store: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def _time_ns(facts: dict[str, Any]) -> int:
    """When an object was written, under whatever name a store says it."""
    when = next((facts[name] for name in ("LastModified", "mtime", "updated", "created") if facts.get(name)), None)
    if isinstance(when, str):
        with suppress(ValueError):
            when = datetime.fromisoformat(when)
    return int(when.timestamp() * 1e6) * 1000 if isinstance(when, datetime) else 0
