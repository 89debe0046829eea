"""`unblur methods`: what there is, and every setting of each."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from unblur.methods.catalog import find_entry, list_entries, settings_class_of
from unblur.methods.settings import Setting, describe_settings

__all__ = ["methods"]


def methods(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="[NAME]", help="A method, to see its settings.", autocompletion=lambda: list(list_entries())
        ),
    ] = None,
) -> None:
    """List the methods, or the settings of one."""
    console = Console(highlight=False)
    if name is None:
        _print_all(console)
    else:
        _print_one(console, name)


def _print_all(console: Console) -> None:
    table = Table("method", "what it does", "finds", "state", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name, entry in list_entries().items():
        table.add_row(name, entry.summary, entry.finds, entry.state)
    console.print(table, markup=False)
    console.print("\nunblur methods NAME lists the settings of one; give them as --set NAME=VALUE.", markup=False)


def _print_one(console: Console, name: str) -> None:
    entry = find_entry(name)
    console.print(f"{name}: {entry.summary}\nfinds: {entry.finds}; state: {entry.state}", markup=False)
    options = ", ".join(f"--{option.replace('_', '-')}" for option in sorted(entry.uses)) or "none of its own"
    console.print(f"options that it uses: {options}\n", markup=False)
    settings = describe_settings(settings_class_of(name))
    if not settings:
        console.print("It has no settings.")
        return
    table = Table("setting", "default", "values", "meaning", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for item in settings:
        table.add_row(item.name, _words(item.default), _values(item), item.help)
    console.print(table, markup=False)
    console.print(
        f"\nFor example: unblur restore --method {name} --set {settings[0].name}={_words(settings[0].default)}"
    )


def _values(item: Setting) -> str:
    if item.choices:
        return ", ".join(map(str, item.choices))
    kind = item.type
    names = {bool: "true, false", int: "whole number", float: "number", str: "text"}
    return names.get(kind, getattr(kind, "__name__", str(kind)))


def _words(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)
