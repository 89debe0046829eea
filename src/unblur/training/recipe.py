"""Recipes: training runs as data, in the form of LightningCLI's YAML files.

A recipe has the parts `model` (a `SupervisedModule`), `data` (a `StreamData`), `trainer` (arguments of Lightning's
trainer) and `run` (`RunSettings`). Objects in them are named by `class_path` and `init_args`.
"""

from __future__ import annotations

import inspect
import json
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
"""The others are decided here for all recipes, or belong to what a `SupervisedModule` does itself."""

_HALF = {"16", "16-mixed", "16-true", 16}


@dataclass(frozen=True)
class Recipe:
    """A training run, ready to start.

    Attributes:
        name: Of the exported weights.
        module: What is trained.
        data: What it is trained with.
        trainer: Arguments for Lightning's trainer.
        settings: Everything else.
        values: All of it as plain values, also what has its default.
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
        SettingsError: There is no such file, it is no recipe, or a value is none that can be used.
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
        raise SettingsError(f"the recipe cannot be used: {' '.join(str(error).split())}") from error
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


def _other_arguments() -> set[str | int]:
    arguments: set[str | int] = set(inspect.signature(Trainer.__init__).parameters)
    return arguments - _TRAINER_ARGUMENTS - {"self"}


def _check_trainer(trainer: dict[str, Any]) -> None:
    if trainer["max_steps"] < 1:
        raise SettingsError("a recipe says how long it trains: trainer.max_steps takes a whole number of 1 or more")
    if trainer.get("precision") in _HALF:
        raise SettingsError("trainer.precision takes 32-true or bf16-mixed; half precision would need scaled losses")
