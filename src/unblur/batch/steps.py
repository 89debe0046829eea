"""What a method shows on the way to its answer, as pictures in a folder."""

from __future__ import annotations

from unblur.batch.jobs import PhotoJob
from unblur.batch.writing import PhotoWriter
from unblur.images.files import encode_image
from unblur.images.picture import Picture
from unblur.images.working import from_working
from unblur.methods.base import Step
from unblur.system.signals import shielded

__all__ = ["StepSaver"]


class StepSaver:
    """Writes the image of each step that has one as `NAME.step-00.png`, `NAME.step-01.png` and so on.

    Args:
        job: Says where; without a place for steps, nothing is written.
        photo: Decides depth, colour profile and alpha of the pictures.
        writer: Writes them.
    """

    def __init__(self, job: PhotoJob, photo: Picture, writer: PhotoWriter) -> None:
        self.count = 0
        self._job, self._photo, self._writer = job, photo, writer

    def __call__(self, step: Step) -> None:
        """Write the step's image, if it has one.

        Raises:
            WriteError: The name is taken, or a PNG cannot hold the picture.
            OutputError: The folder cannot be written to.
        """
        path = self._job.step_output(self.count)
        if path is None or step.preview is None:
            return
        from unblur.images.tensors import resized, tensor_to_array  # noqa: PLC0415 - torch only where it is needed

        image = resized(step.preview, self._photo.height, self._photo.width)
        shown = from_working(tensor_to_array(image.clamp(0, 1)), like=self._photo)
        data, _ = encode_image(shown, "png")
        with shielded():
            self._writer.write(path, data)
        self.count += 1
