"""The fields of `RestoreOptions` as options of a command: names, help and defaults are those of the class."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable
from dataclasses import fields
from functools import wraps
from typing import Annotated, Any, get_args, get_type_hints

import typer

from unblur.cli.messages import say, warning_line
from unblur.methods.options import Region, RestoreOptions, describe_options, parse_region

__all__ = ["with_restore_options"]


def with_restore_options(command: Callable[..., int]) -> Callable[..., int]:
    """A command whose first argument is a `RestoreOptions`, as one with an option for each of its fields.

    Args:
        command: Its other arguments are annotated for typer.
    """
    own = [*inspect.signature(command, eval_str=True).parameters.values()][1:]
    derived = _parameters()

    @wraps(command)
    def run(**values: Any) -> int:
        with warnings.catch_warnings(record=True) as remarks:
            warnings.simplefilter("always")
            options = RestoreOptions(**{item.name: values.pop(item.name) for item in derived})
        if not values.get("quiet"):
            for remark in remarks:
                say(warning_line(str(remark.message)))
        return command(options, **values)

    # typer reads the options off signature and annotations.
    parameters = sorted([*own, *derived], key=lambda item: item.kind)
    run.__signature__ = inspect.Signature(parameters)  # pyright: ignore[reportAttributeAccessIssue]
    run.__annotations__ = {item.name: item.annotation for item in parameters}
    return run


def _parameters() -> list[inspect.Parameter]:
    hints = get_type_hints(RestoreOptions)
    parameters: list[inspect.Parameter] = []
    for item in fields(RestoreOptions):
        option = describe_options()[item.name]
        kind, more = _on_the_command_line(hints[item.name])
        shown = typer.Option(
            "--" + item.name.replace("_", "-"),
            help=option.help,
            metavar=option.metavar,
            rich_help_panel=option.group or None,
            **more,
        )
        parameters.append(
            inspect.Parameter(
                item.name, inspect.Parameter.KEYWORD_ONLY, default=item.default, annotation=Annotated[kind, shown]
            )
        )
    return parameters


def _on_the_command_line(kind: Any) -> tuple[Any, dict[str, Any]]:
    """How a value of the field is typed: text where only `RestoreOptions` can parse it."""
    if Region in get_args(kind):
        return Region | None, {"parser": parse_region}
    return (str | None, {}) if kind is Any else (kind, {})
