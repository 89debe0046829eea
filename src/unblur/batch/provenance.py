"""What each output was made from, so that `--resume` distinguishes old results from new ones and repeats none.

The note stands with the output itself (`unblur.system.file_notes`) before the output has its name, so that a run that
is killed at any moment leaves no output without one, and none elsewhere is needed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

from unblur.batch.places import Place, describe, exists, is_described, read_note

__all__ = ["Provenance", "Verdict", "fingerprint", "judge_output"]

Verdict = Literal["missing", "finished", "outdated", "edited", "unknown"]
"""No file; made from this; made from something else; made by unblur and changed since; a file without a note."""


@dataclass(frozen=True)
class Provenance:
    """What the outputs of one photo are made from.

    Attributes:
        options: Checksum of all that decides the pixels.
        input: The photo's file.
        extras: What is saved beside the image: `kernel`, `steps`, `motion`.
        burst: The further files of a burst.
        run: The run, where it matters (`BatchOptions.run`); it decides nothing of the pixels.
    """

    options: str
    input: Place
    extras: frozenset[str] = frozenset()
    burst: tuple[Path, ...] = ()
    run: str = ""

    def note(self) -> dict[str, Any]:
        """What is noted of each output.

        Raises:
            OSError: The photo cannot be read.
        """
        note: dict[str, Any] = {
            "options": self.options,
            "input": describe(self.input),
            "extras": sorted(self.extras),
        }
        if self.burst:
            note["burst"] = [describe(path) for path in self.burst]
        return note | ({"run": self.run} if self.run else {})

    def is_of_this_run(self, output: Place) -> bool:
        """Whether a file was written by an earlier attempt at the same photo in the same run."""
        note = read_note(output) if self.run else None
        return note is not None and note.values.get("run") == self.run and note.is_unchanged

    def matches(self, note: dict[str, Any]) -> bool:
        """Whether an output with that note is what would be made now, with all that is to be saved beside it."""
        extras = note.get("extras")
        return (
            note.get("options") == self.options
            and isinstance(extras, list)
            and self.extras <= set(map(str, extras))
            and is_described(self.input, note.get("input"))
            and self._matches_burst(note.get("burst", []))
        )

    def _matches_burst(self, noted: object) -> bool:
        if not isinstance(noted, list) or len(noted) != len(self.burst):
            return False
        return all(is_described(path, one) for path, one in zip(self.burst, noted, strict=True))


def fingerprint(decisive: dict[str, Any]) -> str:
    """A checksum of all that decides the pixels besides the photo itself."""
    return sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()


def judge_output(output: Place, provenance: Provenance) -> Verdict:
    """Whether the file under an output's name is the one that a run would make from `provenance`."""
    if not exists(output):
        return "missing"
    note = read_note(output)
    if note is None:
        return "unknown"
    if not note.is_unchanged:
        return "edited"
    return "finished" if provenance.matches(note.values) else "outdated"
