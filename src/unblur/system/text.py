"""Text of foreign origin, as it may stand in a message."""

from __future__ import annotations

__all__ = ["quote", "shorten"]

_LONGEST = 80


def shorten(text: str, most: int = _LONGEST) -> str:
    """The text itself; where it has more than `most` characters, its beginning and an ellipsis in their place."""
    return text if len(text) <= most else text[: most - 1] + "…"


def quote(text: object, most: int = _LONGEST) -> str:
    r"""The text in quotes, with line ends and the like written as `\n`, at most so many characters of it.

    Args:
        text: A name, or a number that stands where a name is expected.
        most: Characters of the text that are kept.
    """
    return repr(shorten(text if isinstance(text, str) else str(text), most))
