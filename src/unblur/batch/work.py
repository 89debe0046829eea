"""Restores one photo from file to file, and reports on it."""

from __future__ import annotations

import sys
import time
import traceback
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO, Literal

from unblur.batch.inputs import explain
from unblur.batch.jobs import PhotoJob
from unblur.batch.options import BatchOptions
from unblur.batch.pages import PageRestorer
from unblur.batch.places import Place, local_copy
from unblur.batch.writing import PhotoWriter
from unblur.errors import (
    FormatError,
    ImageError,
    MemoryShortageError,
    OutputError,
    UnblurError,
    UsageError,
    WriteError,
)
from unblur.images.decoder import decoder
from unblur.images.files import check_file, read_image
from unblur.images.kernels import encode_kernel
from unblur.images.picture import Picture
from unblur.images.streams import split_images
from unblur.methods.apply import choose_device, join_burst
from unblur.methods.base import Method, PictureMethod, Restoration, Step
from unblur.system.memory import is_out_of_memory, peak_mb, restart_peak
from unblur.system.signals import check_interrupted, shielded

__all__ = ["Fault", "JobHook", "PhotoResult", "Status", "restore_in_worker", "restore_job"]

Status = Literal["done", "skipped", "failed"]
Fault = Literal["", "photo", "name", "format", "usage", "place", "memory", "bug"]
"""Where a failure comes from: photo, name or format of the output, options, place for outputs, short memory, unblur."""

_WRITTEN_BEFORE = "was written before its machine was lost; what was found in it is not known any more"

JobHook = Callable[[PhotoJob, Step], None]


@dataclass(frozen=True)
class PhotoResult:
    """Result of one photo.

    Attributes:
        input: The file, or what was named and is none; None: standard input.
        output: The file; None: standard output, or nothing was planned.
        kernel_size: Width and height of the kernel that was found or given, in pixels.
        seconds: Wall time from reading to writing.
        peak_mb: Largest resident memory of the process meanwhile, in MB.
        error: One sentence; empty unless it failed.
        trace: The traceback of a failure, for `--debug`.
    """

    input: Place | str | None
    output: Place | None
    status: Status
    method: str = ""
    settings: dict[str, Any] = field(default_factory=dict[str, Any])
    kernel_size: tuple[int, int] | None = None
    seconds: float = 0.0
    peak_mb: float = 0.0
    device: str = ""
    warnings: tuple[str, ...] = ()
    facts: dict[str, Any] = field(default_factory=dict[str, Any])
    error: str = ""
    fault: Fault = ""
    trace: str = ""


def restore_job(job: PhotoJob, options: BatchOptions, on_step: JobHook) -> PhotoResult:
    """Read, restore and write one photo. Whatever goes wrong with it becomes a failed `PhotoResult`."""
    started = time.perf_counter()
    restart_peak()
    outcome = PhotoResult(job.input, job.output, "failed", method=options.method)
    try:
        with nullcontext() if job.input is None else local_copy(job.input, options.limits) as source:
            outcome = _restore(job, source, options, on_step, outcome)
    except (UnblurError, MemoryError, OSError) as error:
        outcome = replace(outcome, error=_sentence(error), fault=_fault_of(error), trace=traceback.format_exc())
    except Exception as error:  # the boundary of one photo: the next ones must not suffer from our faults
        reason = f"unblur itself failed ({type(error).__name__}: {' '.join(str(error).split())}); --debug shows where"
        outcome = replace(outcome, error=reason, fault="bug", trace=traceback.format_exc())
    if outcome.status == "failed":
        check_interrupted()  # an interruption that a library turned into an error of its own
    return replace(outcome, seconds=time.perf_counter() - started, peak_mb=peak_mb())


def restore_in_worker(options: BatchOptions, job: PhotoJob, send: Callable[[Step], None]) -> PhotoResult:
    """`restore_job` for `unblur.system.worker_pool`; steps travel without their images, which are not shown there."""
    return restore_job(job, options, lambda _, step: send(Step(step.fraction, step.stage)))


def _restore(
    job: PhotoJob, source: Path | None, options: BatchOptions, on_step: JobHook, outcome: PhotoResult
) -> PhotoResult:
    def report_step(step: Step) -> None:
        check_interrupted()
        on_step(job, step)

    if source:
        check_file(source, options.limits)  # the note of the writer holds a checksum of the whole file
    decoder.start()  # while this process imports torch
    writer = PhotoWriter(job, options.provenance_of(replace(job, input=source)))
    if writer.is_finished():
        return replace(outcome, status="done", warnings=(_WRITTEN_BEFORE,))
    writer.check_names()
    method = _method_for(job, options)
    needs_torch = not isinstance(method, PictureMethod)
    device = choose_device(options.restore.device) if needs_torch else "cpu"
    restorer = PageRestorer(job, options, report_step, writer, method)
    notes = _restore_files(job, source, options, restorer, writer)
    _, answer = restorer.first
    if job.steps and restorer.saved_steps == 0:
        notes = (*notes, "this method shows no images on its way, so none were saved")
    if job.extras and restorer.count > 1:
        saved = " and ".join(sorted(job.extras))
        notes = (*notes, f"of the {restorer.count} pages, only the first has its {saved} saved")
    return replace(
        outcome,
        status="done",
        settings=asdict(method.settings),
        kernel_size=None if answer.kernel is None else (answer.kernel.shape[-1], answer.kernel.shape[-2]),
        device=device,
        warnings=tuple(dict.fromkeys((*restorer.warnings, *notes))),
        facts={**answer.facts, "pages": restorer.count} if restorer.count > 1 else answer.facts,
    )


def _method_for(job: PhotoJob, options: BatchOptions) -> Method:
    """The method, which knows the further photos where the photo is one of a burst.

    Raises:
        ImageError: A further photo cannot be read; the message names it.
    """
    if not job.burst:
        return options.ready_method
    return join_burst(options.ready_method, [_read_further(path, options) for path in job.burst])


def _read_further(path: Path, options: BatchOptions) -> Picture:
    try:
        return read_image(path, limits=options.limits, allow_damaged=options.allow_damaged)
    except ImageError as error:
        raise type(error)(f"was not restored, for {path} of its burst {error}") from error


def _restore_files(
    job: PhotoJob, source: Path | None, options: BatchOptions, restorer: PageRestorer, writer: PhotoWriter
) -> tuple[str, ...]:
    """Restore and write the photo, which may be several files in a stream; returns what there is to say of that."""
    if source:
        return _restore_file(job, source, restorer, writer)
    images = split_images(sys.stdin.buffer, options.limits)
    notes = _restore_file(job, next(images), restorer, writer)
    if job.output is None and options.frames != "first":
        for image in images:
            data = restorer.restore_file(image)
            with shielded():
                writer.write_image(data)
    elif next(images, None):
        notes = (*notes, "further images follow in the stream and were not read; to standard output (-o -), all are")
    return notes


def _restore_file(
    job: PhotoJob, source: Path | BinaryIO, restorer: PageRestorer, writer: PhotoWriter
) -> tuple[str, ...]:
    data = restorer.restore_file(source)
    with shielded():
        notes = _save_extras(job, *restorer.first, writer)
        # The image last: where it is, everything is.
        writer.write_image(data)
    return notes


def _save_extras(job: PhotoJob, photo: Picture, answer: Restoration[Picture], writer: PhotoWriter) -> tuple[str, ...]:
    """Write what is saved beside the image; returns what there is to say of it."""
    return (*_save_kernel(job, answer, writer), *_save_motion(job, photo, answer, writer))


def _save_kernel(job: PhotoJob, answer: Restoration[Picture], writer: PhotoWriter) -> tuple[str, ...]:
    if job.kernel is None:
        return ()
    if answer.kernel is None:
        return ("no kernel was found, so none was saved",)
    kernels = answer.burst_kernels or (answer.kernel,)
    for path, kernel in zip(job.kernel_outputs(), kernels, strict=False):
        if kernel is not None:
            png, npy = encode_kernel(kernel[0].mean(0).cpu().numpy())
            writer.write(path, png)
            writer.write(path.with_suffix(".npy"), npy)
    return ()


def _save_motion(job: PhotoJob, photo: Picture, answer: Restoration[Picture], writer: PhotoWriter) -> tuple[str, ...]:
    if job.motion is None:
        return ()
    if answer.motion_field is None:
        return ("no motion was found, by this method or for a photo in tiles, so none was saved",)
    from unblur.batch.motion import encode_motion  # noqa: PLC0415 - drawing, for those who ask for it

    for path, data in zip(job.motion_outputs(), encode_motion(answer.motion_field, photo), strict=True):
        writer.write(path, data)
    return ()


def _sentence(error: UnblurError | MemoryError | OSError) -> str:
    if isinstance(error, MemoryError):
        return "needs more memory than there is"
    return explain(error) if isinstance(error, OSError) else str(error)


def _fault_of(error: Exception) -> Fault:
    if isinstance(error, OutputError):
        return "place"
    if isinstance(error, MemoryShortageError) or is_out_of_memory(error) or is_out_of_memory(error.__cause__):
        return "memory"
    if isinstance(error, WriteError):
        return "format" if isinstance(error, FormatError) else "name"
    return "usage" if isinstance(error, UsageError) else "photo"
