"""Recipes: training runs as data, in the form of LightningCLI's YAML files.

A recipe has the parts `model` (a `SupervisedModule`), `data` (a `StreamData`), `trainer` (arguments of Lightning's
trainer) and `run` (`RunSettings`). Objects in them are named by `class_path` and `init_args`.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import Trainer

from unblur.errors import SettingsError, UnblurError
from unblur.system.extras import import_extra
from unblur.training.data import StreamData
from unblur.training.module import SupervisedModule
from unblur.training.settings import RunSettings

__all__ = ["Recipe", "load_recipe"]

_TRAINER_ARGUMENTS = {
    "accelerator",
    "benchmark",
    "detect_anomaly",
    "deterministic",
    "devices",
    "max_steps",
    "num_nodes",
    "precision",
    "strategy",
    "sync_batchnorm",
}
"""What a recipe may set; the rest is the same for all recipes, or done by `SupervisedModule` itself."""

_KEY = re.compile(r'(?:Parser key|key) "([^"]+)":')
_WRONG_VALUE = re.compile(r"Expected an? <class '(?P<type>[\w.]+)'>\. Got value: (?P<value>.*)$")
_WRONG_CHOICE = re.compile(r"Does not validate against any .*Given value: (?P<value>.*)$")
_WRONG_CLASS = re.compile(r"given class_path '(?P<value>[^']+)': (?:module|No module)")
_WRONG_NAME = re.compile(r"Option '(?P<name>[^']+)' is not accepted")
_TYPES = {
    "bool": "true or false",
    "collections.abc.Sequence": "a list, [A, B]",
    "dict": "names with values, {A: B}",
    "float": "a number",
    "int": "a whole number",
    "list": "a list, [A, B]",
    "str": "text",
    "tuple": "a list, [A, B]",
}
"""How types are called in messages about recipes."""

_HALF = {"16", "16-mixed", "16-true", 16}


@dataclass(frozen=True)
class Recipe:
    """A training run, ready to start.

    Attributes:
        name: Name of the exported weights.
        module: What is trained.
        data: What it is trained with.
        trainer: Arguments for Lightning's trainer.
        settings: Everything else.
        values: All settings as plain values, defaults included.
    """

    name: str
    module: SupervisedModule
    data: StreamData
    trainer: dict[str, Any]
    settings: RunSettings
    values: dict[str, Any]


def load_recipe(path: Path, overrides: Sequence[str] = ()) -> Recipe:
    """Read a recipe and make what it describes.

    Args:
        path: A YAML file.
        overrides: Words as of a command line: `--trainer.max_steps 100`.

    Raises:
        SettingsError: There is no such file, it is no recipe, or a value cannot be used.
    """
    parser = _parser()
    try:
        config = parser.parse_args([f"--config={path}", *overrides])
        values = json.loads(parser.dump(config, format="json"))
        values.pop("config", None)
        torch.manual_seed(config.run.seed)  # the first weights
        made = parser.instantiate(config)
    except UnblurError:
        raise
    except Exception as error:  # jsonargparse raises what it met in files, types and constructors
        raise SettingsError(f"the recipe cannot be used: {_sentence(str(error))}") from error
    trainer = dict(values["trainer"])
    _check_trainer(trainer)
    made.model.seed = made.run.seed
    return Recipe(made.run.name or path.stem, made.model, made.data, trainer, made.run, values)


def _parser() -> Any:
    jsonargparse = import_extra("jsonargparse", "a recipe")
    parser = jsonargparse.ArgumentParser(exit_on_error=False, allow_abbrev=False, prog="unblur train")
    parser.add_argument("--config", action=jsonargparse.ActionConfigFile)
    parser.add_class_arguments(SupervisedModule, "model")
    parser.add_class_arguments(StreamData, "data")
    parser.add_class_arguments(Trainer, "trainer", instantiate=False, skip=_other_arguments())
    parser.add_class_arguments(RunSettings, "run")
    return parser


def _sentence(message: str) -> str:
    """What jsonargparse says, in words of a recipe: `data.train.size takes a whole number, not 'large'`."""
    text = " ".join(message.split())
    if wrong := _WRONG_VALUE.search(text):
        return f"{_place_in(text)} takes {_TYPES.get(wrong['type'], wrong['type'])}, not {wrong['value']!r}"
    if wrong := _WRONG_CHOICE.search(text):
        return f"{_place_in(text)} cannot be {wrong['value']!r}"
    if wrong := _WRONG_CLASS.search(text):
        return f"{_place_in(text)}: there is no class {wrong['value']!r}"
    if wrong := _WRONG_NAME.search(text):
        return f"{_place_in(text) or 'it'} has no setting {wrong['name']!r}"
    return text


def _place_in(text: str) -> str:
    return ".".join(_KEY.findall(text))


def _other_arguments() -> set[str | int]:
    arguments: set[str | int] = set(inspect.signature(Trainer.__init__).parameters)
    return arguments - _TRAINER_ARGUMENTS - {"self"}


def _check_trainer(trainer: dict[str, Any]) -> None:
    if trainer["max_steps"] < 1:
        raise SettingsError("a recipe says how long it trains: trainer.max_steps takes a whole number of 1 or more")
    if trainer.get("precision") in _HALF:
        raise SettingsError("trainer.precision takes 32-true or bf16-mixed; half precision would need scaled losses")
