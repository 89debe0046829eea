"""The library's options as controls of the page: names, help, defaults and choices are those of the classes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from functools import cache
from types import NoneType
from typing import Any, Literal, get_args, get_origin, get_type_hints

import gradio as gr

from unblur.app.elements import capitalised
from unblur.errors import SettingsError
from unblur.methods.catalog import refiner_names, settings_class_of
from unblur.methods.options import Region, RestoreOptions, describe_options, parse_region
from unblur.methods.settings import describe_settings
from unblur.solvers.names import SOLVER_NAMES

__all__ = ["Control", "option_controls", "setting_controls"]

_NOT_HERE = frozenset({"device"})
"""Options without a control: the device is the server's."""
_KNOWN: Mapping[str, tuple[str, ...]] = {"solver": tuple(SOLVER_NAMES), "refine": refiner_names()}
"""Values of options that are plain text in `RestoreOptions`."""
_FEW = 5
_UNSET = "default"


@dataclass(frozen=True)
class Control:
    """One option or setting, and the component that asks for it.

    Attributes:
        name: As in the class that it comes from.
        type: Type of its values.
        default: Where nothing is chosen.
        help: One sentence.
        group: Heading.
        choices: Its values, where they are few.
        is_share: Its values are from 0 to 1.
    """

    name: str
    type: Any
    default: Any
    help: str
    group: str = ""
    choices: tuple[Any, ...] = ()
    is_share: bool = False

    @property
    def label(self) -> str:
        """As people read it."""
        return capitalised(self.name.replace("_", " "))

    @property
    def element(self) -> str:
        """Id of its component in the page."""
        return f"option-{self.name.replace('_', '-')}"

    @property
    def is_region(self) -> bool:
        """Whether it is a part of the photo."""
        return Region in get_args(self.type)

    @property
    def is_file(self) -> bool:
        """Whether it is a file, which `RestoreOptions` reads."""
        return self.type is Any

    def component(self, *, with_id: bool = True) -> Any:
        """A new component with the default in it; call it where the component belongs."""
        shared: dict[str, Any] = {"label": self.label, "info": self.help, "elem_id": self.element if with_id else None}
        if self.choices:
            return self._choice(shared)
        if self.is_file:
            return gr.File(label=f"{self.label}: {self.help}", elem_id=shared["elem_id"], height=110)
        if self.type is bool:
            return gr.Checkbox(value=self.default, **shared)
        if self.is_share:
            return gr.Slider(0, 1, value=self.default, step=0.05, **shared)
        # Gradio's number boxes turn nothing into 0 as soon as they are shown, so what may be left out is text.
        if self._number is not None and self.default is not None:
            return gr.Number(value=self.default, precision=0 if self._number is int else None, **shared)
        text = "" if self.default is None else str(self.default)
        return gr.Textbox(value=text, placeholder="X,Y,W,H" if self.is_region else None, **shared)

    def _choice(self, shared: Mapping[str, Any]) -> Any:
        choices = [str(choice) for choice in self.choices]
        if NoneType in get_args(self.type):
            return gr.Dropdown([(_UNSET, ""), *((choice, choice) for choice in choices)], value="", **shared)
        kind = gr.Radio if len(choices) <= _FEW else gr.Dropdown
        return kind(choices, value=str(self.default), **shared)

    def read(self, given: Any) -> Any:
        """The option's value for what its component says.

        Raises:
            RegionError: Not four whole numbers.
            SettingsError: Not a number.
        """
        if given is None or (isinstance(given, str) and not given.strip()):
            return self.default
        if self.is_region:
            return parse_region(given)
        if self._number is not None and isinstance(given, str):
            return self._parse_number(self._number, self.label, given)
        return given

    @staticmethod
    def _parse_number(number: type[int] | type[float], label: str, text: str) -> int | float:
        try:
            return number(text)
        except ValueError:
            raise SettingsError(f"{label}: {text.strip()!r} is no number; leave it empty or write one") from None

    @property
    def _number(self) -> type[int] | type[float] | None:
        kinds = {self.type, *get_args(self.type)}
        return next((kind for kind in (int, float) if kind in kinds), None)


@cache
def option_controls() -> tuple[Control, ...]:
    """A control for each field of `RestoreOptions` that the page asks for."""
    return tuple(_option_controls())


@cache
def setting_controls(method: str) -> tuple[Control, ...]:
    """A control for each setting of a method."""
    settings = describe_settings(settings_class_of(method))
    return tuple(Control(item.name, item.type, item.default, item.help, choices=item.choices) for item in settings)


def _option_controls() -> Iterator[Control]:
    hints = get_type_hints(RestoreOptions)
    described = describe_options()
    for item in fields(RestoreOptions):
        if item.name in _NOT_HERE:
            continue
        kind, option = hints[item.name], described[item.name]
        choices = get_args(kind) if get_origin(kind) is Literal else _KNOWN.get(item.name, ())
        is_share = option.metavar == "0..1"
        yield Control(item.name, kind, item.default, option.help, option.group, choices, is_share)
