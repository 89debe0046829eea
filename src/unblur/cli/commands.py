"""The commands of the program: name and summary here, the rest in modules that are imported when they are asked for."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand
from typer.main import get_command

__all__ = ["DeferredCommand", "deferred_commands"]

_SUMMARIES = {
    "restore": "Restore blurry photos.",
    "methods": "List the methods, or the settings of one.",
    "benchmark": "Restore images whose sharp truth is known, score them, and compare with published numbers.",
    "report": "Compare finished runs: means with intervals, differences, published numbers, charts and images.",
    "serve": "Restore photos for other programs, over HTTP.",
    "app": "Open the web page: photos in, sharp ones out, with the kernel in hand.",
    "blur": "Blur sharp photos and keep the truth: data for training and benchmarks.",
    "experiment": "Reproduce a figure or table of a paper and compare it with the printed values.",
    "train": "Train a network as a recipe says.",
    "doctor": "Show versions, device, extras, weights and folders, and what is missing; 1 if something is broken.",
    "export": "Write the network of a method as ONNX: photos of any size in, restored photos out.",
    "data": "List, show, check and make data sets.",
    "weights": "Trained weights: list, download, show, convert.",
}
"""By name, in the order of help. The same sentences begin the help of the commands themselves; a test compares them."""


class DeferredCommand(TyperCommand):
    """A command that stands for the one in `unblur.cli.NAME`, and imports it as soon as it has a command line to read.

    Importing all commands and building their options takes longer than the help of the program may take.

    Args:
        name: Name of the command, of its module, and of the function or `Typer` in that module.
        summary: What the help of the program says about it.
    """

    def __init__(self, name: str, summary: str) -> None:
        super().__init__(name, help=summary)

    @cached_property
    def command(self) -> Any:
        """The command itself: a `TyperCommand`, or a `TyperGroup` for a command with commands of its own."""
        module = import_module(f"unblur.cli.{self.name}")
        found = getattr(module, self.name or "")
        if isinstance(found, typer.Typer):
            return get_command(found)
        alone = typer.Typer(add_completion=False)
        alone.command(self.name, **getattr(module, "COMMAND", {}))(found)
        return get_command(alone)

    def make_context(self, *arguments: Any, **extra: Any) -> Any:
        """A context of the command itself, which runs that command."""
        return self.command.make_context(*arguments, **extra)


def deferred_commands() -> Iterator[DeferredCommand]:
    """All commands, in the order of help."""
    return (DeferredCommand(name, summary) for name, summary in _SUMMARIES.items())
