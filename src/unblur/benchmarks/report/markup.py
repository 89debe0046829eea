"""HTML and SVG built from elements: text is escaped by construction, so no name can become markup."""

from __future__ import annotations

from html import escape
from typing import Any

__all__ = ["Markup", "element", "together"]

_EMPTY = {"img", "meta", "br", "line", "circle", "rect", "path"}
_XML = {"line", "circle", "rect", "path"}


class Markup(str):
    """Text that is markup already; everything else is escaped when it becomes part of an element."""

    __slots__ = ()


def element(name: str, /, *children: Any, **attributes: Any) -> Markup:
    """`<name attributes>children</name>`.

    Args:
        name: Of the element.
        *children: Markup, or anything else as text; None is left out.
        **attributes: Underscores in names become hyphens, a trailing one falls away (`class_`); None is left out.
    """
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{_text(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in _EMPTY:
        return Markup(f"<{name}{written}{'/' if name in _XML else ''}>")
    return Markup(f"<{name}{written}>{together(*children)}</{name}>")


def together(*children: Any) -> Markup:
    """The children one after another, without an element around them."""
    return Markup(
        "".join(child if isinstance(child, Markup) else _text(child) for child in children if child is not None)
    )


def _text(value: Any) -> str:
    return escape(str(value), quote=True)
