"""What the documents print, read from `contents.toml`: papers, their tables and figures, and the lines of each."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

__all__ = ["Item", "Paper", "Place", "read_papers"]


@dataclass(frozen=True)
class Item:
    """One line: what is printed, and where its answer is found.

    Attributes:
        what: What is compared; with `method` it follows from that.
        printed: A number of parameters, or the words of the document; empty: those of `claim` or of `published.json`.
        method: Method of `published.json`, whose numbers become one line each.
        dataset: Data set of the same numbers.
        count: Network whose parameters are counted, a name of `counted.NETWORKS`.
        part: Part of that network; empty: all of it.
        run: Folder of a stored run in `results/`.
        claim: Line of the run's own comparison with the paper.
        table: Table of the run, without ending.
        where: Values that select rows of the table.
        without: Values that exclude rows of the table.
        column: Column of the table whose mean is the answer.
        metric: Column of a benchmark's rows whose mean is the answer.
        comparable: Whether the run has the data of the document, so that a verdict can be given.
        why: What explains the answer, or differs.
        needs: What an answer would take, where there is none.
        command: What to run for one.
    """

    what: str = ""
    printed: str | int = ""
    method: str = ""
    dataset: str = ""
    count: str = ""
    part: str = ""
    run: str = ""
    claim: str = ""
    table: str = ""
    where: Mapping[str, str] = field(default_factory=dict[str, str])
    without: Mapping[str, str] = field(default_factory=dict[str, str])
    column: str = ""
    metric: str = ""
    comparable: bool = True
    why: str = ""
    needs: str = ""
    command: str = ""


@dataclass(frozen=True)
class Place:
    """A table or figure, or several that show one thing.

    Attributes:
        name: Its name in the document.
        shows: What it shows.
        protocol: What its numbers are of: data, crop, alignment, hardware.
        items: Its lines.
        source: Source in `published.json`; numbers that no item names get a line each method.
        dataset: Only numbers of this data set; empty: all of the source.
        others: Why these have no answer here.
        command: What would answer them.
    """

    name: str
    shows: str
    protocol: str
    items: tuple[Item, ...] = ()
    source: str = ""
    dataset: str = ""
    others: str = ""
    command: str = ""


@dataclass(frozen=True)
class Paper:
    """One of the documents.

    Attributes:
        name: The method here.
        title: Heading.
        reference: Authors, title, year.
        note: What holds for all its numbers.
        places: In the order of the document.
    """

    name: str
    title: str
    reference: str
    note: str
    places: tuple[Place, ...]


@cache
def read_papers() -> tuple[Paper, ...]:
    """The documents, in the order of the page."""
    text = files("unblur.experiments.papers").joinpath("contents.toml").read_text(encoding="utf-8")
    return tuple(_paper(entry) for entry in tomllib.loads(text)["paper"])


def _paper(entry: dict[str, Any]) -> Paper:
    places = tuple(_place(place) for place in entry.pop("place"))
    return Paper(**entry, places=places)


def _place(entry: dict[str, Any]) -> Place:
    items = tuple(Item(**item) for item in entry.pop("item", ()))
    return Place(**entry, items=items)
