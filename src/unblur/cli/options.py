"""Options that several commands have."""

from __future__ import annotations

from collections.abc import Sequence

from unblur.errors import SettingsError

__all__ = ["parse_settings"]


def parse_settings(pairs: Sequence[str]) -> dict[str, str]:
    """The values of `--set NAME=VALUE` by name.

    Raises:
        SettingsError: A value without a name.
    """
    for pair in pairs:
        if "=" not in pair:
            raise SettingsError(f"--set takes NAME=VALUE, not {pair!r}")
    return dict(pair.split("=", 1) for pair in pairs)
