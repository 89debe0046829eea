"""Restores the photos of a page one after the other, and says how far that is."""

from __future__ import annotations

import shutil
import time
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from unblur.app.elements import capitalised
from unblur.app.sessions import Answer, Session
from unblur.app.views import View, write_view
from unblur.batch.naming import output_beside, split_name, tagged
from unblur.batch.options import BatchOptions
from unblur.batch.report import report_line
from unblur.batch.work import PhotoResult
from unblur.errors import BusyError, UnblurError
from unblur.images.kernels import encode_kernel, read_kernel
from unblur.methods.options import RestoreOptions
from unblur.server.job import Job, JobState
from unblur.server.queue import JobQueue

__all__ = ["Asked", "Update", "restore_photos", "view_of"]

_BETWEEN_UPDATES = 0.2
_PREVIEW_SIDE = 1024
_REASONS = {
    "time": "took longer than is allowed",
    "crash": "the process that worked on it died, perhaps for lack of memory; try a smaller photo",
    "stop": "the program is being stopped",
}


@dataclass(frozen=True)
class Asked:
    """What is asked for all photos of a run.

    Attributes:
        options: As on the command line.
        kernel: A NumPy file with the known kernel.
    """

    options: BatchOptions
    kernel: bytes | None = None

    @property
    def caption(self) -> str:
        """What was chosen, in a few words."""
        options = self.options.restore
        chosen = {**self.options.settings, **{name: getattr(options, name) for name in options.given()}}
        # Kernels and masks are arrays: their name says enough.
        shown = {name: "" if hasattr(value, "shape") else f" {value}" for name, value in chosen.items()}
        return ", ".join([self.options.method, *(name.replace("_", " ") + value for name, value in shown.items())])


@dataclass(frozen=True)
class Update:
    """How far a run is.

    Attributes:
        text: What is being done, or what became of it.
        fraction: Share of the run that is done.
        photo: The photo that is worked on.
        preview: Its image so far.
        answer: A photo that has just been restored.
        archive: All of them with the report, at the end of a run of several photos.
        is_error: A photo failed.
    """

    text: str
    fraction: float | None = None
    photo: View | None = None
    preview: Path | None = None
    answer: Answer | None = None
    archive: Path | None = None
    is_error: bool = False


def view_of(session: Session, photo: Path) -> View:
    """What a page shows of a photo that was given to it.

    Raises:
        ReadError: It cannot be read.
    """
    if photo not in session.views:
        session.views[photo] = write_view(photo, session.new_folder() / "photo.jpg")
    return session.views[photo]


def restore_photos(session: Session, queue: JobQueue, photos: Sequence[Path], asked: Asked) -> Iterator[Update]:
    """Restore all photos; whatever goes wrong with one does not stop the others.

    Args:
        session: Takes the answers; its `cancel` ends the run.
        queue: Does the work.
        photos: Files as they were given.
        asked: What is asked for all of them.
    """
    session.is_cancelled = False
    rows: list[tuple[PhotoResult, Path | None]] = []
    for number, photo in enumerate(photos):
        if session.is_cancelled:
            break
        run = _PhotoRun(session, queue, photo, asked)
        for update in run.updates():
            share = None if update.fraction is None else (number + update.fraction) / len(photos)
            place = f"{photo.name} ({number + 1} of {len(photos)}): " if len(photos) > 1 else ""
            if update.is_error and not place:
                place = f"{photo.name} "
            yield replace(update, fraction=share, text=place + update.text)
        rows.append((run.result, run.answer.sharp if run.answer else None))
    if len(photos) > 1 and rows:
        archive = _write_archive(session.new_folder() / "unblur.zip", rows, asked.options.restore)
        done = sum(sharp is not None for _, sharp in rows)
        yield Update(f"{done} of {len(photos)} photos restored.", archive=archive)


class _PhotoRun:
    """The restoration of one photo; `result` and `answer` are what became of it."""

    def __init__(self, session: Session, queue: JobQueue, photo: Path, asked: Asked) -> None:
        self._session, self._queue, self._photo, self._asked = session, queue, photo, asked
        self._folder = session.new_folder()
        self._shown: bytes | None = None
        self._preview: Path | None = None
        self.answer: Answer | None = None
        self.result = PhotoResult(Path(photo.name), None, "failed", method=asked.options.method)

    def updates(self) -> Iterator[Update]:
        """Restore it, and say how far that is."""
        try:
            shown = view_of(self._session, self._photo)
            yield Update("Waiting", 0.0, shown)
            job = yield from self._submit()
            if job is None:
                return
            self._session.job = job
            try:
                for state in job.changes():
                    yield self._progress(job, state, shown)
                    time.sleep(_BETWEEN_UPDATES)
                yield self._end(job, job.state, shown)
            finally:
                self._session.job = None
                self._queue.delete(job.id)
        except UnblurError as error:
            yield self._failure(str(error))

    def _submit(self) -> Iterator[Update]:
        """Put the photo into the queue, once there is room in it."""
        while not self._session.is_cancelled:
            try:
                with self._photo.open("rb") as file:
                    return self._queue.submit(
                        file,
                        self._asked.options,
                        kernel=self._asked.kernel,
                        save=frozenset({"kernel", "motion"}),
                        preview=_PREVIEW_SIDE,
                    )
            except BusyError:
                yield Update("Waiting for other photos", 0.0)
                time.sleep(1)
        yield Update("Cancelled.")
        return None

    def _progress(self, job: Job, state: JobState, shown: View) -> Update:
        progress = state.progress
        left = job.seconds_left
        text = state.status if state.status == "waiting" else f"{progress.stage or 'reading the photo'}{_left(left)}"
        if progress.preview is not None and progress.preview != self._shown:
            self._shown = progress.preview
            self._preview = self._folder / f"preview-{progress.fraction:.6f}.jpg"
            self._preview.write_bytes(progress.preview)
        return Update(capitalised(text), progress.fraction, shown, self._preview)

    def _end(self, job: Job, state: JobState, shown: View) -> Update:
        if state.status == "cancelled":
            self.result = replace(self.result, error="cancelled")
            return Update("Cancelled.")
        result = state.result
        if result is None or result.status != "done":
            return self._failure(_REASONS.get(state.reason, "failed") if result is None else result.error)
        sharp = self._folder / output_beside(Path(self._photo.name)).name
        shutil.copyfile(job.output, sharp)
        self.result = replace(result, input=Path(self._photo.name), output=Path(sharp.name))
        self.answer = Answer(
            self._photo,
            f"{len(self._session.answers) + 1}. {self._photo.name}: {self._asked.caption}",
            shown,
            write_view(sharp, self._folder / "view.jpg"),
            sharp,
            self._keep_kernel(job),
            tuple(_copied(path, self._folder / f"{sharp.stem}{''.join(path.suffixes)}") for path in job.motion),
            self.result,
            self._asked.options.restore,
        )
        self._session.answers.append(self.answer)
        return Update("Done.", answer=self.answer)

    def _keep_kernel(self, job: Job) -> Path | None:
        """The kernel that was found, or the one that was given, as PNG and as `.npy`."""
        path = self._folder / tagged(split_name(self._photo.name)[0], ".kernel.png")
        if self._asked.kernel is not None:
            exact = path.with_suffix(".npy")
            exact.write_bytes(self._asked.kernel)
            path.write_bytes(encode_kernel(read_kernel(exact))[0])
            return path
        if job.kernel is None:
            return None
        shutil.copyfile(job.kernel.with_suffix(".npy"), path.with_suffix(".npy"))
        return _copied(job.kernel, path)

    def _failure(self, reason: str) -> Update:
        self.result = replace(self.result, error=reason)
        return Update(reason, is_error=True)


def _copied(path: Path, to: Path) -> Path:
    shutil.copyfile(path, to)
    return to


def _left(seconds: float | None) -> str:
    if seconds is None:
        return ""
    return f", about {seconds / 60:.0f} min left" if seconds >= 90 else f", about {seconds:.0f} s left"


def _write_archive(path: Path, rows: Sequence[tuple[PhotoResult, Path | None]], options: RestoreOptions) -> Path:
    """A ZIP file with all sharp photos and `report.jsonl`, a line for each photo."""
    taken: set[str] = set()
    with zipfile.ZipFile(path, "x") as archive:
        lines: list[str] = []
        for result, sharp in rows:
            if sharp is not None:
                name = _free_name(sharp.name, taken)
                archive.write(sharp, name)
                result = replace(result, output=Path(name))  # noqa: PLW2901 - the same result under its name here
            lines.append(report_line(result, options) + "\n")
        archive.writestr("report.jsonl", "".join(lines))
    return path


def _free_name(name: str, taken: set[str]) -> str:
    """The name, with a number where another photo of the run has it already."""
    stem, suffix = split_name(name)
    names = (name if number == 1 else f"{stem}-{number}{suffix}" for number in range(1, len(taken) + 2))
    free = next(candidate for candidate in names if candidate not in taken)
    taken.add(free)
    return free
