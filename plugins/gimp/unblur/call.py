"""Calls the command line on a file; what an image editor's plug-in does, without the editor."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path

__all__ = ["UnblurError", "restore_file"]


class UnblurError(Exception):
    """The program could not be started or could not restore the photo; the message is one sentence."""


def restore_file(source: Path, output: Path, options: str = "") -> None:
    """Restore one file into another.

    Args:
        source: The photo.
        output: The file to write.
        options: Options of `unblur restore`, as in a shell.

    Raises:
        UnblurError: It failed; the message is what the program said.
    """
    program = shlex.split(os.environ.get("UNBLUR", "unblur"))
    try:
        command = [*program, "restore", str(source), "-o", str(output), *shlex.split(options)]
        ran = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - the user's own line
    except FileNotFoundError:
        raise UnblurError(f"there is no program {program[0]}; set UNBLUR to where it is installed") from None
    except ValueError as error:
        raise UnblurError(f"the options cannot be read: {error}") from None
    if ran.returncode:
        said = [line for line in ran.stderr.splitlines() if line.startswith("unblur: error: ")]
        raise UnblurError(said[0] if said else f"unblur ended with code {ran.returncode}")
