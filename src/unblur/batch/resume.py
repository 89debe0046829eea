"""What was made before, so that `--resume` takes no old result for a new one.

A note on each output is kept in the user's state folder, never among the photos: what it was made with, and the size
and time of the file then. A lost note costs work, not correctness.
"""

from __future__ import annotations

import json
import os
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

from platformdirs import user_state_path

__all__ = ["Notes", "Verdict", "fingerprint", "write_note"]

Verdict = Literal["missing", "same", "changed", "foreign"]
"""No output; made with the same wishes; made with others; not as unblur left it."""


def fingerprint(wishes: dict[str, Any], source: Path) -> str:
    """A checksum of all that decides the pixels: the wishes, and the input's size and time.

    Raises:
        OSError: There is no such input.
    """
    facts = source.stat()
    plain = json.dumps([wishes, facts.st_size, facts.st_mtime_ns], sort_keys=True)
    return sha256(plain.encode()).hexdigest()


def write_note(output: Path, made_with: str) -> None:
    """Remember an output that was just written. That no note can be written is no reason to fail."""
    try:
        facts = output.stat()
        line = {"name": output.name, "made_with": made_with, "size": facts.st_size, "mtime_ns": facts.st_mtime_ns}
        place = _place_of_notes(output.parent)
        place.parent.mkdir(parents=True, exist_ok=True)
        # One write of one line to a file opened for appending: other processes cannot mix theirs into it.
        with place.open("ab", buffering=0) as file:
            file.write(f"{json.dumps(line)}\n".encode())
    except OSError:
        return


class Notes:
    """The notes of earlier runs; each folder's are read once."""

    def __init__(self) -> None:
        self._by_folder: dict[Path, dict[str, dict[str, Any]]] = {}

    def judge(self, output: Path, made_with: str) -> Verdict:
        """What an output is worth to a run that would make it with `made_with`."""
        try:
            facts = output.stat()
        except OSError:
            return "missing"
        if output.parent not in self._by_folder:
            self._by_folder[output.parent] = _read_notes(_place_of_notes(output.parent))
        found = self._by_folder[output.parent].get(output.name)
        if found is None or (found["size"], found["mtime_ns"]) != (facts.st_size, facts.st_mtime_ns):
            return "foreign"
        return "same" if found["made_with"] == made_with else "changed"


def _place_of_notes(folder: Path) -> Path:
    return user_state_path("unblur") / "made" / f"{sha256(os.fsencode(folder.resolve())).hexdigest()[:32]}.jsonl"


def _read_notes(place: Path) -> dict[str, dict[str, Any]]:
    """The last note on each name; a line that was cut short by a crash is passed over."""
    notes: dict[str, dict[str, Any]] = {}
    try:
        lines = place.read_text(encoding="utf-8").splitlines()
    except OSError:
        return notes
    for line in lines:
        try:
            item = json.loads(line)
        except ValueError:
            continue
        notes[item["name"]] = item
    return notes
