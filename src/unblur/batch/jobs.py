"""What is to be done with one photo."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from unblur.batch.places import Place

__all__ = ["PhotoJob", "Replaceable"]

Replaceable = Literal["nothing", "own", "anything"]
"""Which existing files may be replaced: none; those that unblur made and nobody changed since; all."""


@dataclass(frozen=True)
class PhotoJob:
    """One photo to restore.

    Attributes:
        input: The file; None: standard input.
        output: The file to write; None: standard output.
        kernel: Where to save the kernel as PNG, with `.npy` beside it; None: not at all.
        steps: Folder, and what the names of the images of the steps begin with; None: they are not saved.
        burst: Further files, photos of the same scene, that the photo is restored with.
        motion: Folder, and what the names of the files with the motion begin with; None: it is not saved.
        replaceable: Which existing files may be replaced.
        in_place: The output is the input.
    """

    input: Place | None
    output: Place | None
    kernel: Place | None = None
    steps: Path | None = None
    motion: Path | None = None
    burst: tuple[Path, ...] = ()
    replaceable: Replaceable = "nothing"
    in_place: bool = False

    @property
    def name(self) -> str:
        """The photo's name without its folder."""
        return self.input.name if self.input else "stdin"

    @property
    def extras(self) -> frozenset[str]:
        """What is saved beside the image."""
        kinds = {"kernel": self.kernel, "steps": self.steps, "motion": self.motion}
        return frozenset(kind for kind, place in kinds.items() if place)

    def side_outputs(self) -> Iterator[Place]:
        """The files beside the image whose names are known beforehand."""
        for kernel in self.kernel_outputs():
            yield kernel
            yield kernel.with_suffix(".npy")
        yield from self.motion_outputs()

    def kernel_outputs(self) -> Iterator[Place]:
        """The PNG files for the kernels: one, or one for each photo of a burst, the further ones numbered from 2."""
        if self.kernel:
            yield self.kernel
            for number in range(2, len(self.burst) + 2):
                yield self.kernel.with_name(f"{self.kernel.stem}-{number}.png")

    def motion_outputs(self) -> Iterator[Path]:
        """The files for the motion: numbers, colours, arrows."""
        if self.motion:
            for ending in (".motion.npy", ".motion.png", ".arrows.png"):
                yield self.motion.with_name(self.motion.name + ending)

    def step_output(self, number: int) -> Path | None:
        """The file for the image of a step; None: it is not saved."""
        return self.steps and self.steps.with_name(f"{self.steps.name}.step-{number:02d}.png")
