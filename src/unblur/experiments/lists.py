"""Settings that hold several words or numbers."""

from __future__ import annotations

from unblur.errors import SettingsError

__all__ = ["names_in", "numbers_in"]


def names_in(text: str) -> list[str]:
    """Names with commas between."""
    return [name.strip() for name in text.split(",") if name.strip()]


def numbers_in(text: str, setting: str) -> list[float]:
    """Numbers with commas between.

    Raises:
        SettingsError: Something else, or a number below 0.
    """
    try:
        numbers = [float(word) for word in names_in(text)]
    except ValueError:
        numbers = []
    if not numbers or not all(0 <= number < float("inf") for number in numbers):
        raise SettingsError(f"{setting} takes numbers from 0 up with commas between, not {text!r}")
    return numbers
