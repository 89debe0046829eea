"""The program `unblur`: its commands, and the one place where errors become lines and exit codes."""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Sequence
from functools import cache
from typing import Annotated, cast

import typer
from typer.core import TyperGroup
from typer.main import get_command

from unblur.cli.commands import deferred_commands
from unblur.cli.messages import error_line, say
from unblur.cli.quick_help import leave_out_unused
from unblur.errors import ImageError, UnblurError
from unblur.system.extras import missing_extra
from unblur.system.openmp import wait_briefly
from unblur.system.signals import Interrupted, catch_signals
from unblur.system.streams import prepare_streams

__all__ = ["main", "parser"]

_OF_THE_PROGRAM = {"--help", "-h", "--version", "--install-completion", "--show-completion"}
"""Options that stand before any command."""

_app = typer.Typer(
    name="unblur",
    help="One blurry photo in, a sharp one out, together with the blur that was found.",
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["--help", "-h"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version  # noqa: PLC0415 - reads files, for this option alone

        typer.echo(f"unblur {version('unblur')}")
        raise typer.Exit


@_app.callback()
def _about(
    version: Annotated[
        bool, typer.Option("--version", metavar="", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


def main(words: Sequence[str] | None = None) -> int:
    """Run the program.

    Args:
        words: The command line without the program's name; None: that of this process.

    Returns:
        0 all done, 1 some photos failed, 2 wrong use or nothing could start, 130 and 143 after SIGINT and SIGTERM.
    """
    prepare_streams()
    wait_briefly()
    given = list(sys.argv[1:] if words is None else words) or ["--help"]
    try:
        with catch_signals(signal.SIGINT, signal.SIGTERM):
            code = parser().main(_with_command(given), prog_name="unblur", standalone_mode=False) or 0
            sys.stdout.flush()
    except Interrupted as interrupted:
        return interrupted.exit_code
    except Exception as error:  # the outermost boundary: whatever it is, a user sees one line
        code, reason = _explain(error, given[0])
        if isinstance(error, typer.TyperException) and given[0] in parser().commands and os.path.lexists(given[0]):
            reason += f" (to restore what is here under the name {given[0]}, write ./{given[0]})"
        if "--debug" in given:
            say(traceback.format_exc().rstrip())
        say(error_line(reason))
    return code


@cache
def parser() -> TyperGroup:
    """The parser of the program's options and of its commands."""
    leave_out_unused()
    group = cast("TyperGroup", get_command(_app))
    group.commands.update({str(command.name): command for command in deferred_commands()})
    return group


def _with_command(words: list[str]) -> list[str]:
    """The command line with the command `restore` where it begins with a photo or an option of that command."""
    first = words[0]
    is_command = first in parser().commands or first in _OF_THE_PROGRAM
    names_photo = first.startswith("-") or set(first) & set("./*?[") or os.path.lexists(first)
    return ["restore", *words] if names_photo and not is_command else words


def _explain(error: Exception, command: str) -> tuple[int, str]:
    """Exit code and sentence for an error."""
    if isinstance(error, typer.TyperException):
        return 2, _usage_sentence(error)
    if isinstance(error, UnblurError):
        return 1 if isinstance(error, ImageError) else 2, str(error)
    if isinstance(error, ModuleNotFoundError) and (missing := missing_extra(error, f"unblur {command}")):
        return 2, str(missing)
    return 1, f"unblur itself failed ({type(error).__name__}: {error}); --debug shows where"


def _usage_sentence(error: typer.TyperException) -> str:
    """What is wrong with the command line, in the form of all our errors."""
    sentence = error.format_message().rstrip(". ") or "a command is missing"
    context = getattr(error, "ctx", None)
    return f"{sentence[:1].lower()}{sentence[1:]}; try {context.command_path if context else 'unblur'} --help"


if __name__ == "__main__":
    sys.exit(main())
