"""Protocols: what is cropped and aligned before images are compared. A score without its protocol means nothing."""

from __future__ import annotations

from typing import Literal, get_args

__all__ = ["PROTOCOLS", "Protocol"]

Protocol = Literal["plain", "shift"]
"""`"plain"`: the whole frame as it is. `"shift"`: 15 pixels of border dropped, best of the quarter-pixel shifts."""

PROTOCOLS: tuple[Protocol, ...] = get_args(Protocol)
