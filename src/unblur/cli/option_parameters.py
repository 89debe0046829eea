"""The fields of a class of options as options of a command: names, help and defaults are those of the class."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from functools import wraps
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import typer

from unblur.cli.messages import say, warning_line
from unblur.methods.options import Region, RestoreOptions, describe_options, parse_region
from unblur.methods.settings import Setting, describe_settings
from unblur.server.settings import ServerSettings

__all__ = ["with_restore_options", "with_server_settings"]

_METAVARS: Mapping[Any, str] = {int: "N", float: "SECONDS", str: "TEXT"}


def with_restore_options(command: Callable[..., int]) -> Callable[..., int]:
    """A command whose first argument is a `RestoreOptions`, as one with an option for each of its fields.

    Args:
        command: Its other arguments are annotated for typer.
    """

    def make(given: dict[str, Any], others: dict[str, Any]) -> RestoreOptions:
        with warnings.catch_warnings(record=True) as remarks:
            warnings.simplefilter("always")
            options = RestoreOptions(**given)
        if not others.get("quiet"):
            for remark in remarks:
                say(warning_line(str(remark.message)))
        return options

    return _with_derived(command, _parameters(), make)


def with_server_settings(command: Callable[..., int]) -> Callable[..., int]:
    """A command whose first argument is a `ServerSettings`, as one with an option for each of its fields.

    Args:
        command: Its other arguments are annotated for typer.
    """

    def make(given: dict[str, Any], _: dict[str, Any]) -> ServerSettings:
        values: dict[str, Any] = {n: tuple(value) if isinstance(value, list) else value for n, value in given.items()}
        return ServerSettings(**values)

    return _with_derived(command, [_server_parameter(item) for item in describe_settings(ServerSettings)], make)


def _with_derived(
    command: Callable[..., int],
    derived: Sequence[inspect.Parameter],
    make: Callable[[dict[str, Any], dict[str, Any]], Any],
) -> Callable[..., int]:
    """A command whose first argument is made of the values of further options, and of the other ones."""
    own = [*inspect.signature(command, eval_str=True).parameters.values()][1:]

    @wraps(command)
    def run(**values: Any) -> int:
        given = {item.name: values.pop(item.name) for item in derived}
        return command(make(given, values), **values)

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


def _server_parameter(item: Setting) -> inspect.Parameter:
    """One with several values is given several times, each time one of them."""
    is_many = get_origin(item.type) is tuple
    flag = "--" + (item.name.removesuffix("s") if is_many else item.name).replace("_", "-")
    variable = f"UNBLUR_SERVER_{item.name.upper()}"
    shown = typer.Option(flag, help=item.help, metavar=_METAVARS.get(item.type, "NAME"), envvar=variable)
    default = list(item.default) if is_many else item.default
    annotation = Annotated[list[str] if is_many else item.type, shown]
    return inspect.Parameter(item.name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
