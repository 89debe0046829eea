"""Runs of the tiny objective, in this process."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from conftest import photo_of
from tiny_training import tiny_recipe, write_recipe
from unblur.training import TrainingResult, load_recipe, train


@dataclass
class Runs:
    """Starts runs over the same photos.

    Attributes:
        folder: Holds the photos, the recipes and the runs' folders.
        lines: What the runs said.
        warnings: What they warned of.
    """

    folder: Path
    lines: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @property
    def photos(self) -> Path:
        return self.folder / "photos"

    def make_photos(self, count: int = 4) -> None:
        self.photos.mkdir(exist_ok=True)
        for number in range(count):
            photo_of((40, 32), number).save(self.photos / f"{number:03d}.png")

    def recipe(self, **changes: dict) -> Path:
        return write_recipe(self.folder / "tiny.yaml", tiny_recipe(self.photos, **changes))

    def start(self, out: str = "run", *, resume: str = "auto", force: bool = False, **changes: dict) -> TrainingResult:
        recipe = load_recipe(self.recipe(**changes))
        return train(
            recipe, self.folder / out, resume=resume, force=force, say=self.lines.append, warn=self.warnings.append
        )

    def file(self, name: str, out: str = "run") -> Path:
        return self.folder / out / name


@pytest.fixture
def runs(tmp_path) -> Runs:
    made = Runs(tmp_path)
    made.make_photos()
    return made
