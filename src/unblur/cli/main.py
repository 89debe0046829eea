"""The program `unblur`: its commands, and the one place where errors become lines and exit codes."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence
from typing import Annotated

import typer
from typer.main import get_command

from unblur.cli.benchmark import benchmark
from unblur.cli.blur import blur
from unblur.cli.data import data
from unblur.cli.experiment import experiment
from unblur.cli.messages import error_line, say
from unblur.cli.methods import methods
from unblur.cli.report import report
from unblur.cli.restore import restore, settle_save_kernel
from unblur.cli.train import OVERRIDES, train
from unblur.cli.weights import weights
from unblur.errors import ImageError, UnblurError
from unblur.system.extras import missing_extra
from unblur.system.signals import Interrupted

__all__ = ["app", "main"]

app = typer.Typer(
    name="unblur",
    help="One blurry photo in, a sharp one out, together with the blur that was found.",
    add_completion=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["--help", "-h"]},
)
app.command()(restore)
app.command()(methods)
app.command()(benchmark)
app.command()(report)
app.command()(blur)
app.command()(experiment)
app.command(context_settings=OVERRIDES)(train)
app.add_typer(data, name="data")
app.add_typer(weights, name="weights")


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version  # noqa: PLC0415 - reads files, for this option alone

        typer.echo(f"unblur {version('unblur')}")
        raise typer.Exit


@app.callback()
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
    given = list(sys.argv[1:] if words is None else words) or ["--help"]
    try:
        return get_command(app).main(settle_save_kernel(given), prog_name="unblur", standalone_mode=False) or 0
    except Interrupted as interrupted:
        return interrupted.exit_code
    except KeyboardInterrupt:
        return 130
    except typer.TyperException as error:
        code, reason = 2, _usage_sentence(error)
    except UnblurError as error:
        code, reason = 1 if isinstance(error, ImageError) else 2, str(error)
    except ModuleNotFoundError as error:
        missing = missing_extra(error, f"unblur {given[0]}")
        code, reason = (2, str(missing)) if missing else (1, _failure_sentence(error))
    except Exception as error:  # the outermost boundary: whatever it is, a user sees one line
        code, reason = 1, _failure_sentence(error)
    if "--debug" in given:
        traceback.print_exc()
    say(error_line(reason))
    return code


def _usage_sentence(error: typer.TyperException) -> str:
    """What is wrong with the command line, in the form of all our errors."""
    sentence = error.format_message().rstrip(". ")
    context = getattr(error, "ctx", None)
    return f"{sentence[:1].lower()}{sentence[1:]}; try {context.command_path if context else 'unblur'} --help"


def _failure_sentence(error: Exception) -> str:
    return f"unblur itself failed ({type(error).__name__}: {error}); --debug shows where"


if __name__ == "__main__":
    sys.exit(main())
