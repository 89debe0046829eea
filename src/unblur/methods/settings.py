"""Settings dataclasses from loose values: names and types checked, one sentence when something is off.

A settings class is a frozen dataclass whose fields read `name: Annotated[type, "a sentence"] = default`; a third item,
`Choices`, lists the values of a text, or `FILE_NAME` says that it may name a file of this machine. Command line,
benchmark and reports all derive from it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from unblur.errors import SettingsError

__all__ = ["FILE_NAME", "Choices", "Setting", "describe_settings", "make_settings"]

SettingsT = TypeVar("SettingsT")

FILE_NAME = "file name"
"""Third item of a field whose text may name a file: nothing that strangers may set."""


@dataclass(frozen=True)
class Choices:
    """The values that a text may have, or a function (no lambda: annotations are text) that knows them when asked."""

    values: tuple[str, ...] | Callable[[], tuple[str, ...]]

    def names(self) -> tuple[str, ...]:
        """The values as they are now."""
        return self.values() if callable(self.values) else self.values


@dataclass(frozen=True)
class Setting:
    """One field of a settings class: its name, type, default, sentence, its values where they are few, and its kind."""

    name: str
    type: Any
    default: Any
    help: str
    choices: tuple[Any, ...] = ()
    names_file: bool = False


def describe_settings(settings_class: type[Any]) -> list[Setting]:
    """The fields of a settings class, in order."""
    hints = get_type_hints(settings_class, include_extras=True)
    described: list[Setting] = []
    for item in fields(settings_class):
        hint = hints[item.name]
        kind, help_text, *more = get_args(hint) if get_origin(hint) is Annotated else (hint, "")
        names_file = FILE_NAME in more
        choices = get_args(kind) if get_origin(kind) is Literal else () if names_file or not more else more[0].names()
        default = item.default if item.default is not MISSING else None
        described.append(Setting(item.name, kind, default, help_text, choices, names_file))
    return described


def make_settings(settings_class: type[SettingsT], values: Mapping[str, Any]) -> SettingsT:
    """An instance of `settings_class` with `values`; text is converted to the field's type.

    Raises:
        SettingsError: A name that the class does not have, or a value that does not fit.
    """
    known = {item.name: item for item in describe_settings(settings_class)}
    for name in values:
        if name not in known:
            names = ", ".join(known) or "none"
            raise SettingsError(f"there is no setting {name!r} here; known settings: {names}")
    return settings_class(**{name: _convert(known[name], value) for name, value in values.items()})


def _convert(setting: Setting, value: Any) -> Any:
    kind = setting.type
    if setting.choices:
        for choice in setting.choices:
            if value == choice or str(value) == str(choice):
                return choice
        raise SettingsError(f"{setting.name} takes one of {', '.join(map(str, setting.choices))}, not {value!r}")
    if kind is bool:
        return _convert_bool(setting.name, value)
    try:
        converted = kind(value)
    except (TypeError, ValueError):
        raise SettingsError(f"{setting.name} takes a value of type {kind.__name__}, not {value!r}") from None
    if kind is int and isinstance(value, float) and value != converted:
        raise SettingsError(f"{setting.name} takes a whole number, not {value!r}")
    return converted


def _convert_bool(name: str, value: Any) -> bool:
    words = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
    if isinstance(value, bool):
        return value
    if str(value).lower() in words:
        return words[str(value).lower()]
    raise SettingsError(f"{name} takes true or false, not {value!r}")
