"""`unblur train`: trains a network from a recipe, or continues an interrupted run."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Annotated

import typer

from unblur.cli.messages import escape, say, warning_line
from unblur.errors import UsageError
from unblur.system.signals import catch_signals

__all__ = ["COMMAND", "train"]

COMMAND = {"context_settings": {"allow_extra_args": True, "ignore_unknown_options": True}}
"""Options that this command does not have are settings of the recipe."""


def train(  # noqa: PLR0917 - typer reads the options off the signature
    context: typer.Context,
    recipe: Annotated[Path, typer.Argument(help="A YAML file, such as those in recipes/.", show_default=False)],
    resume: Annotated[
        str,
        typer.Option(
            metavar="auto|never|PATH",
            help="Continue from the newest checkpoint in the folder, never, or from this one.",
        ),
    ] = "auto",
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder of the run; else runs/train/METHOD/RECIPE.", show_default=False),
    ] = None,
    force: Annotated[
        bool,
        typer.Option("--force", help="Continue although settings, data or code have changed; take over the folder."),
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of errors.")] = False,  # noqa: ARG001 - for main
) -> int:
    """Train a network as a recipe says.

    Any setting of the recipe can be changed by its name: --trainer.max_steps 2000 --data.batch_size 8.
    The same command continues an interrupted run.
    """
    if not recipe.is_file():
        raise UsageError(f"there is no recipe {escape(str(recipe))}")
    with catch_signals(signal.SIGINT, signal.SIGTERM):  # until the run listens itself
        from unblur.training.recipe import load_recipe  # noqa: PLC0415 - torch and Lightning
        from unblur.training.run import train as run_recipe  # noqa: PLC0415

        outcome = run_recipe(
            load_recipe(recipe, context.args),
            out or Path("runs/train") / recipe.absolute().parent.name / recipe.stem,
            resume=resume,
            force=force,
            say=say,
            warn=lambda reason: say(warning_line(reason)),
        )
    return 0 if outcome.signal is None else 128 + outcome.signal
