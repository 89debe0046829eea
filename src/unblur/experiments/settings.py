"""Checks that settings of experiments share. Nothing here imports torch."""

from __future__ import annotations

from unblur.errors import SettingsError

__all__ = ["check_at_least", "split_names", "split_numbers", "split_pairs"]


def check_at_least(settings: object, least: float, *names: str) -> None:
    """Check the smallest allowed value of some settings.

    Raises:
        SettingsError: One of them is smaller.
    """
    for name in names:
        if getattr(settings, name) < least:
            raise SettingsError(f"{name} takes a number from {least:g} up, not {getattr(settings, name)}")


def split_names(text: str) -> list[str]:
    """Names separated by commas."""
    return [name.strip() for name in text.split(",") if name.strip()]


def split_numbers(text: str, setting: str) -> list[float]:
    """Finite numbers from 0 up, separated by commas.

    Args:
        text: The value of the setting.
        setting: Its name, for the message.

    Raises:
        SettingsError: The text has something else in it, or no number.
    """
    try:
        numbers = [float(word) for word in split_names(text)]
    except ValueError:
        numbers = []
    if not numbers or not all(0 <= number < float("inf") for number in numbers):
        raise SettingsError(f"{setting} takes numbers from 0 up, separated by commas, not {text!r}")
    return numbers


def split_pairs(text: str, setting: str) -> dict[str, str]:
    """Values by name, as in `one=a,two=b`.

    Args:
        text: The value of the setting.
        setting: Its name, for the message.

    Raises:
        SettingsError: A part without a name, or without a value.
    """
    parts = [word.partition("=") for word in split_names(text)]
    if not all(name and value for name, _, value in parts):
        raise SettingsError(f"{setting} takes NAME=VALUE, separated by commas, not {text!r}")
    return {name.strip(): value.strip() for name, _, value in parts}
