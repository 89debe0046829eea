"""The work of a server's worker process: one photo from file to file, with steps that can be shown."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unblur.batch.jobs import PhotoJob
from unblur.batch.options import BatchOptions
from unblur.batch.work import PhotoResult, restore_job
from unblur.errors import UnblurError
from unblur.methods.base import Step

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Progress", "RestoreTask", "Warm", "run_task"]

_PREVIEW_SHARE = 0.02
"""Largest share of the process's time that previews take."""


@dataclass(frozen=True)
class RestoreTask:
    """One photo.

    Attributes:
        job: The files.
        options: How to restore; what was sent as a file is not in it.
        files: Files with the values of further options, by name: `kernel`, `mask`.
        preview: Longest side in pixels of the images that are shown on the way; 0: none.
    """

    job: PhotoJob
    options: BatchOptions
    files: Mapping[str, Path] = field(default_factory=dict[str, Path])
    preview: int = 0


@dataclass(frozen=True)
class Progress:
    """How far a restoration is.

    Attributes:
        fraction: 0 to 1.
        stage: What is being done, a few words.
        preview: The image so far as JPEG, colours as stored.
    """

    fraction: float = 0.0
    stage: str = ""
    preview: bytes | None = None


@dataclass
class Warm:
    """What a process keeps from task to task: a method that is loaded serves the next photo with the same options."""

    options: BatchOptions = field(default_factory=BatchOptions)

    def take(self, options: BatchOptions) -> BatchOptions:
        """The options, with the method loaded if they are those of the task before."""
        if options != self.options:
            self.options = options
        return self.options


def run_task(warm: Warm, task: RestoreTask, send: Callable[[Progress], None]) -> PhotoResult:
    """Restore the photo, for `unblur.system.worker_pool`; whatever goes wrong with it becomes a failed result."""
    previews = _Previews(task.preview)

    def on_step(_: PhotoJob, step: Step) -> None:
        send(Progress(step.fraction, step.stage, previews.encode(step)))

    try:
        options, remarks = _with_files(task)
    except UnblurError as error:
        reason = _without_paths(error, task)
        return PhotoResult(None, None, "failed", method=task.options.method, error=reason, fault="usage")
    result = restore_job(task.job, warm.take(options), on_step)
    return replace(result, warnings=(*remarks, *result.warnings))


def _with_files(task: RestoreTask) -> tuple[BatchOptions, tuple[str, ...]]:
    """The options with what was sent as files, and what there is to say of it."""
    if not task.files:
        return task.options, ()
    with warnings.catch_warnings(record=True) as remarks:
        warnings.simplefilter("always")
        values: dict[str, Any] = {name: str(path) for name, path in task.files.items()}
        restore = replace(task.options.restore, **values)
    return replace(task.options, restore=restore), tuple(_without_paths(remark.message, task) for remark in remarks)


def _without_paths(message: object, task: RestoreTask) -> str:
    """A sentence on a file, without its name on this machine: "the kernel PATH: ..." is "the kernel: ..."."""
    text = str(message)
    for path in task.files.values():
        text = text.replace(f" {path}", "")
    return text


class _Previews:
    """The images of some of the steps: they take no more than a small share of its time on the processor.

    Args:
        side: Longest side in pixels; 0: no images.
    """

    def __init__(self, side: int) -> None:
        self._side = side
        self._next = 0.0

    def encode(self, step: Step) -> bytes | None:
        """The image of a step as JPEG; None: it has none, or it would cost too much by now."""
        started = time.process_time()
        if not self._side or step.show is None or started < self._next:
            return None
        image = None if step.preview is None else _encode_preview(step.preview, self._side)
        ended = time.process_time()
        self._next = ended + (ended - started) / _PREVIEW_SHARE
        return image


def _encode_preview(image: Tensor, side: int) -> bytes | None:
    from unblur.images.files import encode_image  # noqa: PLC0415 - whoever has an image has loaded it already
    from unblur.images.picture import Picture  # noqa: PLC0415 - as above
    from unblur.images.tensors import resized, tensor_to_array  # noqa: PLC0415 - as above

    height, width = image.shape[-2:]
    scale = min(1.0, side / max(height, width))
    small = resized(image[:1].float(), max(1, round(scale * height)), max(1, round(scale * width)))
    pixels: Any = (255 * tensor_to_array(small.clamp(0, 1))).round().astype("uint8")
    if pixels.shape[2] not in (1, 3):
        return None
    return encode_image(Picture(pixels, "grey" if pixels.shape[2] == 1 else "rgb"), "jpeg")[0]
