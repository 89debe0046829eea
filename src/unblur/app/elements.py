"""Pieces of HTML of the page; whatever comes from a photo, its name above all, is escaped here."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

__all__ = ["answer_html", "capitalised", "kernel_editor", "link", "show_in", "status_html", "viewer"]


def capitalised(text: str) -> str:
    """What the library says in the middle of a line, as the beginning of one."""
    return text[:1].upper() + text[1:]


def viewer(marks: Mapping[str, str]) -> str:
    """The before/after viewer of `page.js`.

    Args:
        marks: What a part of the photo may be marked for, by the id of the text box that takes it as `X,Y,W,H`.
    """
    lines = "\n".join(f"{target}={text}" for target, text in marks.items())
    return f'<unblur-viewer data-marks="{escape(lines)}"></unblur-viewer>'


def kernel_editor(cells: Sequence[Sequence[float]]) -> str:
    """The kernel editor of `page.js`, with a kernel in it."""
    return f'<unblur-kernel data-cells="{escape(json.dumps(cells))}"></unblur-kernel>'


def show_in(element: str, what: Mapping[str, Any]) -> str:
    """What makes `unblur-viewer` or `unblur-kernel` show something once it is in the page."""
    return f'<unblur-show data-in="{escape(element)}" data-what="{escape(json.dumps(what))}"></unblur-show>'


def status_html(text: str, fraction: float | None = None, *, is_error: bool = False) -> str:
    """A line that screen readers announce, with a bar where a share of the work is known."""
    bar = "" if fraction is None else f'<progress value="{fraction:.4f}" max="1" aria-label="Progress"></progress>'
    role = "alert" if is_error else "status"
    return f'<div class="status">{bar}<p role="{role}">{escape(text)}</p></div>'


def link(address: str, text: str, *, is_first: bool = False) -> str:
    """A link that downloads."""
    kind = ' class="first"' if is_first else ""
    return f'<a href="{escape(address)}" download{kind}>{escape(text)}</a>'


def answer_html(found: str, remarks: Sequence[str], links: Sequence[str], picture: str = "") -> str:
    """What was found, what there is to say of it, and the downloads.

    Args:
        found: One line.
        remarks: Warnings.
        links: Of `link`.
        picture: Address of a picture of the motion.
    """
    listed = "".join(f"<li>{escape(remark)}</li>" for remark in remarks)
    shown = (
        f'<img class="motion" src="{escape(picture)}" alt="Arrows along the motion that was found">' if picture else ""
    )
    return (
        f'<div class="answer"><p class="found">{escape(found)}</p>{f"<ul>{listed}</ul>" if listed else ""}'
        f'<p class="downloads">{"".join(links)}</p>{shown}</div>'
    )
