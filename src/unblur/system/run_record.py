"""The record of a run: settings, data, code and machine; stored with its results, compared when it is resumed."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from unblur.system.facts import run_facts, versions

__all__ = ["Record", "differences", "make_record", "record_bytes"]

Record = dict[str, Any]
"""Plain values ready for JSON: `settings`, `data`, `code`, `versions`, each by name, and the facts of the machine."""

_COMPARED = {"settings": "", "data": "data of ", "code": "code of ", "versions": "version of "}
"""Parts that decide results, and how a difference in them is named."""


def make_record(
    settings: Mapping[str, Any],
    *,
    data: Mapping[str, str] | None = None,
    code: Mapping[str, str] | None = None,
    packages: Sequence[str] = ("unblur", "torch", "numpy"),
) -> Record:
    """The record of a run that starts now.

    Args:
        settings: Everything that was chosen, also by default; nested mappings become dotted names, and what JSON does
            not know becomes text.
        data: Fingerprint of each set of data.
        code: Checksum of each part of the code, see `digests`.
        packages: Distributions whose versions decide the results.
    """
    machine = run_facts()
    record = {
        "settings": _flat(settings),
        "data": dict(data or {}),
        "code": dict(code or {}),
        "versions": versions(packages),
        **{name: machine[name] for name in ("commit", "hardware", "date")},
    }
    return json.loads(json.dumps(record, default=str))


def record_bytes(record: Mapping[str, Any]) -> bytes:
    """A record as the content of a file."""
    return (json.dumps(record, indent=2) + "\n").encode()


def differences(before: Mapping[str, Any], now: Record, *, without_effect: Collection[str] = ()) -> list[str]:
    """What is not as it was and decides the results, each as `NAME was A, is B`.

    Args:
        before: An earlier record.
        now: The record of this run.
        without_effect: Names that decide nothing.
    """
    found: list[str] = []
    for part, words in _COMPARED.items():
        old, new = before.get(part, {}), now[part]
        names = sorted({*old, *new} - set(without_effect))
        changed = [name for name in names if old.get(name) != new.get(name)]
        found += [f"{words}{name} was {_short(old.get(name))}, is {_short(new.get(name))}" for name in changed]
    return found


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested settings by dotted name."""
    flat: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{name}.")
        else:
            flat[prefix + name] = value
    return flat


def _short(value: object) -> str:
    text = "not there" if value is None else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
