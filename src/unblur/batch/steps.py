"""What a method shows on the way to its answer, as pictures in a folder."""

from __future__ import annotations

from pathlib import Path

from unblur.images.files import write_image
from unblur.images.picture import Picture
from unblur.images.working import from_working
from unblur.methods.base import Step

__all__ = ["StepSaver"]


class StepSaver:
    """Writes the image of each step that has one as `NAME.step-00.png`, `NAME.step-01.png` and so on.

    Args:
        folder: It exists.
        name: Of the photo.
        photo: Decides depth, colour profile and alpha of the pictures.
        overwrite: Replace files of those names.
    """

    def __init__(self, folder: Path, name: str, photo: Picture, *, overwrite: bool) -> None:
        self.count = 0
        self._folder, self._name, self._photo, self._overwrite = folder, name, photo, overwrite

    def __call__(self, step: Step) -> None:
        """Write the step's image, if it has one.

        Raises:
            WriteError: The name is taken, or a PNG cannot hold the picture.
            OutputError: The folder cannot be written to.
        """
        if step.preview is None:
            return
        from unblur.images.tensors import tensor_to_array  # noqa: PLC0415 - torch only where it is needed

        shown = from_working(tensor_to_array(step.preview.clamp(0, 1)), like=self._photo)
        path = self._folder / f"{self._name}.step-{self.count:02d}.png"
        write_image(shown, path, format="png", overwrite=self._overwrite)
        self.count += 1
