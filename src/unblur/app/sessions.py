"""What belongs to one open page: its files, its answers and the work that it waits for, until it is closed."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from unblur.app.elements import capitalised
from unblur.app.views import View
from unblur.batch.work import PhotoResult
from unblur.methods.options import RestoreOptions
from unblur.server.job import Job
from unblur.server.storage import Storage

__all__ = ["FILES_PATH", "Answer", "Session", "Sessions"]

FILES_PATH = "/files"
"""Where the page's own files are, below the server's address."""


@dataclass(frozen=True)
class Answer:
    """A photo that was restored.

    Attributes:
        source: The photo's file as it was given.
        caption: How it is listed: the photo and what was chosen.
        photo: What the page shows of the photo.
        view: What it shows of the answer.
        sharp: The file that is downloaded.
        kernel: The kernel's file as PNG, with exact values beside it in `.npy`.
        motion: Files of the motion: numbers, colours, arrows.
        result: What was found.
        options: What was asked.
    """

    source: Path
    caption: str
    photo: View
    view: View
    sharp: Path
    kernel: Path | None
    motion: Sequence[Path]
    result: PhotoResult
    options: RestoreOptions

    @property
    def found(self) -> str:
        """What was found, in one line."""
        if "found" in self.result.facts:
            said = str(self.result.facts["found"])
        elif self.result.kernel_size:
            said = f"kernel of {self.result.kernel_size[0]}x{self.result.kernel_size[1]} pixels"
        else:
            said = "done"
        return f"{capitalised(said)} ({self.result.method}, {self.result.seconds:.1f} s)"


@dataclass
class Session:
    """One open page.

    Attributes:
        folder: Its files; nobody else reads it.
        answers: All photos that were restored, oldest first.
        job: What it waits for.
        is_cancelled: The work was called off.
    """

    folder: Path
    answers: list[Answer] = field(default_factory=list[Answer])
    views: dict[Path, View] = field(default_factory=dict[Path, View])
    job: Job | None = None
    is_cancelled: bool = False
    _shared: dict[str, Path] = field(default_factory=dict[str, Path])
    _addresses: dict[Path, str] = field(default_factory=dict[Path, str])

    def address_of(self, path: Path) -> str:
        """The address of one of its files; whoever does not know it cannot guess it."""
        if path not in self._addresses:
            key = secrets.token_urlsafe(18)
            self._shared[key] = path
            self._addresses[path] = f"{FILES_PATH}/{key}/{quote(path.name)}"
        return self._addresses[path]

    def find(self, key: str) -> Path | None:
        """The file that was given an address with this key."""
        return self._shared.get(key)

    def new_folder(self) -> Path:
        """A new, empty folder."""
        folder = self.folder / secrets.token_hex(8)
        folder.mkdir()
        return folder

    def cancel(self) -> None:
        """Stop what is being done for it."""
        self.is_cancelled = True
        if self.job is not None:
            self.job.cancel()


class Sessions:
    """All open pages, by the name that Gradio gives to each.

    Args:
        storage: Where their files are.
    """

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._open: dict[str, Session] = {}
        self._lock = threading.Lock()

    def of(self, name: str) -> Session:
        """The session of a page, made when it first asks for something."""
        with self._lock:
            if name not in self._open:
                self._open[name] = Session(self._storage.make_folder())
            return self._open[name]

    def close(self, name: str) -> None:
        """Stop the work for a page that was closed, and remove its files."""
        with self._lock:
            session = self._open.pop(name, None)
        if session is not None:
            session.cancel()
            self._storage.remove(session.folder)

    def find(self, key: str) -> Path | None:
        """The file of an address."""
        return next((path for session in list(self._open.values()) if (path := session.find(key))), None)
