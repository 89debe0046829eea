"""Trainings of NeurMAP that differ in their losses alone, each scored on the kernel-synthesised test part."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from unblur.datasets.folders import find_root
from unblur.datasets.pairs import Pair, PairedSet, spread
from unblur.errors import TrainingError, UsageError
from unblur.experiments.neurmap.scores import Score, open_test_pairs, score_image
from unblur.experiments.neurmap.settings import TrainingSettings
from unblur.experiments.result import Say
from unblur.methods.apply import restore_tensor
from unblur.methods.base import Method
from unblur.methods.loading import load_method
from unblur.methods.neurmap.presets import Preset
from unblur.training.recipe import load_recipe
from unblur.training.run import train

__all__ = ["BASELINE", "BLURRY", "Arm", "score_arms"]

BLURRY = "blurry"
"""Name of the scores of the blurry photos."""
BASELINE = "baseline"
"""Name of the scores of the network that all arms start from."""

_OBJECTIVE = "--model.objective.init_args"
_STREAM = "--data.train.init_args"


@dataclass(frozen=True)
class Arm:
    """One training.

    Attributes:
        weights: Changes to the weights of the terms.
        natural: Photos that count as natural for the discriminator, see `NeurmapObjective`.
    """

    weights: Mapping[str, float] = field(default_factory=dict[str, float])
    natural: Literal["both", "sharp"] = "both"


def score_arms(arms: Mapping[str, Arm], preset: Preset, settings: TrainingSettings, say: Say) -> dict[str, list[Score]]:
    """Scores of the blurry photos, of the baseline, and of every arm, by name, image by image.

    All arms start from the same weights and are trained on the same samples.

    Args:
        arms: Arms by name.
        preset: Weights of the terms that the arms change.
        settings: Length and data of the trainings.
        say: Prints progress.

    Raises:
        UsageError: There is no such recipe.
        DataError: The kernel-synthesised set is not there.
        CheckpointError: There are no such initial weights.
        TrainingError: There is another run in the folder of an arm.
    """
    if not Path(settings.recipe).is_file():
        raise UsageError(
            f"there is no recipe {settings.recipe!r} here; recipes are part of a clone of the repository, not of the "
            "installed package: run this command in a clone, or name a file with --set recipe=FILE"
        )
    pairs = open_test_pairs(settings.data)
    places = spread(pairs, settings.limit or None)
    with _folder_of(settings) as folder:
        start = load_method("dmphn", weights=settings.baseline) if settings.baseline else load_method("input")
        scores = {BLURRY: [score_image(pair.blurry, pair.sharp) for pair in _read(pairs, places)]}
        scores[BASELINE] = _score_method(start, _read(pairs, places))
        overrides = _overrides(settings, preset)
        for name, arm in arms.items():

            def say_of_arm(line: str, name: str = name) -> None:
                say(f"{name}: {line}")

            weights = _train(arm, settings.recipe, overrides, folder / name.replace(" ", "-"), say_of_arm)
            scores[name] = _score_method(load_method("neurmap", {"steps": 0}, weights), _read(pairs, places))
            say_of_arm(f"scored on {len(places)} images")
    return scores


def _train(arm: Arm, recipe: str, overrides: Mapping[str, str], folder: Path, say: Say) -> str:
    """Name of the file with the trained weights."""
    overrides = {
        **overrides,
        f"{_OBJECTIVE}.weights": json.dumps(dict(arm.weights)),
        f"{_OBJECTIVE}.natural": arm.natural,
    }
    made = load_recipe(Path(recipe), [f"{name}={value}" for name, value in overrides.items()])
    outcome = train(made, folder, say=say, warn=say)
    if outcome.weights is None:
        raise TrainingError(f"the training in {folder} was interrupted; the same command continues it")
    return str(outcome.weights)


def _overrides(settings: TrainingSettings, preset: Preset) -> dict[str, str]:
    """Values of the recipe that all arms change, by their name on the command line."""
    train_part = find_root(Path(settings.data) if settings.data else None) / "neurmap" / "train"
    overrides = {
        f"{_OBJECTIVE}.preset": preset,
        f"{_OBJECTIVE}.start": "random" if settings.baseline else "identity",
        f"{_OBJECTIVE}.deblurring_weights": settings.baseline,
        f"{_OBJECTIVE}.motion_weights": settings.motion,
        f"{_STREAM}.unpaired.init_args.blurry": json.dumps([str(train_part / "blurry")]),
        f"{_STREAM}.unpaired.init_args.sharp": json.dumps([str(train_part / "sharp")]),
        "--data.validation": "null",
        "--run.monitor": "",
        "--trainer.accelerator": settings.accelerator,
    }
    if settings.photos:
        overrides[f"{_STREAM}.paired.init_args.photos"] = json.dumps([settings.photos])
    if settings.size:
        overrides |= {f"{_STREAM}.{part}.init_args.size": str(settings.size) for part in ("paired", "unpaired")}
    if settings.steps:
        schedule = {"steps": settings.steps, "warmup": 0}
        overrides |= {f"--model.schedule.init_args.{name}": str(value) for name, value in schedule.items()}
        overrides["--trainer.max_steps"] = str(settings.steps)
    return overrides


@contextmanager
def _folder_of(settings: TrainingSettings) -> Generator[Path]:
    if settings.folder:
        folder = Path(settings.folder)
        folder.mkdir(parents=True, exist_ok=True)
        yield folder
    else:
        with TemporaryDirectory() as temporary:
            yield Path(temporary)


def _read(pairs: PairedSet, places: Iterable[int]) -> Iterator[Pair]:
    return (pairs[place] for place in places)


def _score_method(method: Method, pairs: Iterable[Pair]) -> list[Score]:
    return [score_image(restore_tensor(pair.blurry, method).image, pair.sharp) for pair in pairs]
