"""The man page `unblur(1)`, made from the help of every command: `python -m unblur.cli.man_page > unblur.1`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

from unblur.cli.main import parser

__all__ = ["man_page"]

_EXIT_STATUS = (
    ("0", "all done"),
    ("1", "some photos failed, the others are done"),
    ("2", "wrong use, or nothing could start or go on"),
    ("130, 143", "ended by SIGINT (Ctrl-C) or SIGTERM"),
)
_FILES = (
    ("NAME.unblur.EXT", "the restored photo, beside NAME.EXT"),
    (".unblur.jsonl", "what outputs were made from, where the file system has no extended attributes"),
)
_ENVIRONMENT = (
    ("UNBLUR_WEIGHTS_CACHE", "folder of downloaded weights"),
    ("UNBLUR_WEIGHTS_MIRROR", "address of a server to download weights from"),
    ("UNBLUR_DATA", "folder that holds the data sets of benchmarks"),
)


def man_page() -> str:
    """The page in roff, for `man -l` and mandoc."""
    root: Any = parser()
    context = root.make_context("unblur", [], resilient_parsing=True)
    return "\n".join(
        [
            f'.TH UNBLUR 1 "" "unblur {version("unblur")}" "User Commands"',
            ".SH NAME",
            f"unblur \\- {_plain(root.help.rstrip('.'))}",
            ".SH SYNOPSIS",
            "\n.br\n".join(_synopsis(command, name) for name, command, _ in _commands(root, context)),
            ".SH DESCRIPTION",
            _plain("unblur PHOTO is short for unblur restore PHOTO. Names of outputs are made from those of inputs."),
            *(line for entry in _commands(root, context) for line in _section(*entry)),
            *_list("EXIT STATUS", _EXIT_STATUS),
            *_list("ENVIRONMENT", _ENVIRONMENT),
            *_list("FILES", _FILES),
            "",
        ]
    )


def _commands(group: Any, context: Any, before: str = "unblur") -> Iterator[tuple[str, Any, Any]]:
    """Name, command and context of each command that does something, those of groups included."""
    for name, command in group.commands.items():
        inner = command.make_context(name, [], parent=context, resilient_parsing=True)
        if hasattr(inner.command, "commands"):
            yield from _commands(inner.command, inner, f"{before} {name}")
        else:
            yield f"{before} {name}", inner.command, inner


def _synopsis(command: Any, name: str) -> str:
    words = [_argument(item) for item in command.params if item.param_type_name == "argument"]
    return f".B {_plain(name)}\n{_plain(' '.join(['[OPTION]...', *words]))}"


def _argument(item: Any) -> str:
    shown = (item.metavar or item.name.upper()).strip("[].")
    return (shown if item.required else f"[{shown}]") + ("..." if item.nargs == -1 else "")


def _section(name: str, command: Any, context: Any) -> Iterator[str]:
    """What a command is for, its arguments and its options."""
    yield f".SH {_plain(name.upper())}"
    first, _, rest = (command.help or "").partition("\n\n")
    yield _plain(first)
    if rest:
        yield from (".PP", ".nf", _plain(rest), ".fi")
    for item in command.params:
        if item.param_type_name == "argument":
            record = (_argument(item), item.help or "")
        else:
            record = item.get_help_record(context)
        if record is not None:
            yield from (".TP", f".B {_plain(record[0])}", _plain(record[1]))


def _list(heading: str, items: tuple[tuple[str, str], ...]) -> Iterator[str]:
    yield f".SH {heading}"
    for term, text in items:
        yield from (".TP", f".B {_plain(term)}", _plain(text))


def _plain(text: str) -> str:
    """Text in which roff sees no commands, and hyphens stay what can be copied."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-")
    return "\n".join(f"\\&{line}" if line.startswith((".", "'")) else line for line in escaped.splitlines())


if __name__ == "__main__":
    sys.stdout.write(man_page())
