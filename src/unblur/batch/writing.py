"""Writes the files of one photo; each has a note of what it was made from, and none is replaced unasked."""

from __future__ import annotations

from pathlib import Path

from unblur.batch.jobs import PhotoJob
from unblur.batch.places import Place, attach_note, exists, holds, write_file
from unblur.batch.provenance import Provenance, judge_output
from unblur.errors import WriteError
from unblur.system.streams import write_stdout

__all__ = ["PhotoWriter"]

_TAKEN = "already; --overwrite replaces it, --resume passes over what is done"
_EDITED = "already and was changed after unblur made it; --overwrite replaces it"
_DIFFERENT = "already and is not what would be made now; --overwrite replaces it"


class PhotoWriter:
    """Writes the image and all that is saved beside it.

    Args:
        job: What may be replaced.
        provenance: What the files are made from; None: nothing is noted, and nothing is known to be our own.

    Raises:
        OSError: The photo cannot be read.
    """

    def __init__(self, job: PhotoJob, provenance: Provenance | None) -> None:
        self._job, self._provenance = job, provenance
        self._note = None if provenance is None else provenance.note()

    def is_finished(self) -> bool:
        """Whether an earlier attempt in this very run wrote the photo, and so all that belongs to it."""
        output = self._job.output
        return output is not None and self._provenance is not None and self._provenance.is_of_this_run(output)

    def check_names(self) -> None:
        """Report before minutes of work what writing would refuse in the end.

        Raises:
            WriteError: A name is taken.
        """
        job = self._job
        for path in (job.output, *job.side_outputs(), *self._existing_steps()):
            if path and exists(path):
                self._may_replace(path)

    def write(self, path: Place, data: bytes | memoryview) -> None:
        """Write one file, and its folder if need be.

        Raises:
            WriteError: The name is taken.
            OutputError: The folder cannot be made or written to.
        """
        is_there = exists(path)
        may_replace = self._job.replaceable == "anything" or (is_there and self._may_replace(path))
        if is_there and not may_replace:
            self._adopt(path, data)
        else:
            write_file(path, data, overwrite=may_replace, note=self._note)

    def write_image(self, data: bytes | memoryview) -> None:
        """Write the restored photo, to standard output if the job says so.

        Raises:
            WriteError: The name is taken.
            OutputError: The folder, or standard output, cannot be written to.
        """
        if self._job.output is None:
            write_stdout(data)
        else:
            self.write(self._job.output, data)

    def _may_replace(self, path: Place) -> bool:
        """Whether a file that exists may be replaced; False: only if it is what would be written anyway.

        Raises:
            WriteError: It may not, whatever would be written.
        """
        if self._job.replaceable == "anything" or (self._provenance and self._provenance.is_of_this_run(path)):
            return True
        if self._job.replaceable == "nothing" or self._provenance is None:
            raise WriteError(self._exists(path, _TAKEN))
        verdict = judge_output(path, self._provenance)
        if verdict == "edited":
            raise WriteError(self._exists(path, _EDITED))
        return verdict != "unknown"

    def _adopt(self, path: Place, data: bytes | memoryview) -> None:
        """Take a file without a note for the output, if it has the very same bytes: its note was lost."""
        if not holds(path, data):
            raise WriteError(self._exists(path, _DIFFERENT))
        if self._note is not None:
            attach_note(path, data, self._note)

    def _exists(self, path: Place, ending: str) -> str:
        return f"exists {ending}" if path == self._job.output else f"is not written, because {path} exists {ending}"

    def _existing_steps(self) -> list[Path]:
        stem = self._job.steps
        if stem is None:
            return []
        try:
            return [path for path in stem.parent.iterdir() if path.name.startswith(f"{stem.name}.step-")]
        except OSError:
            return []
