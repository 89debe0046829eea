"""One photo from file to file, and what is said of it afterwards."""

from __future__ import annotations

import os
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from unblur.batch.inputs import explain
from unblur.batch.options import BatchOptions
from unblur.batch.plan import Job, targets_of
from unblur.batch.resume import write_note
from unblur.batch.steps import StepSaver
from unblur.errors import OutputError, UnblurError, UsageError, WriteError
from unblur.images.files import encode_image, read_image, write_image
from unblur.images.kernels import write_kernel
from unblur.images.picture import Picture
from unblur.methods.apply import choose_device, restore_picture
from unblur.methods.base import PictureMethod, Restoration, Step, StepHook
from unblur.system.memory import peak_mb, restart_peak
from unblur.system.signals import check_interrupted, shielded

__all__ = ["Fault", "JobHook", "PhotoResult", "Status", "restore_job"]

Status = Literal["done", "skipped", "failed"]
Fault = Literal["", "photo", "name", "usage", "place", "bug"]
"""Where a failure comes from: the photo, the output's name, the options, the place for outputs, or unblur itself."""

JobHook = Callable[[Job, Step], None]


@dataclass(frozen=True)
class PhotoResult:
    """What became of one photo.

    Attributes:
        input: The file; None: standard input.
        output: The file; None: standard output, or nothing was planned.
        kernel_size: Width and height of the kernel that was found or given, in pixels.
        seconds: Wall time from reading to writing.
        peak_mb: Largest resident memory of the process meanwhile, in MB.
        error: One sentence; empty unless it failed.
        trace: The traceback of a failure, for `--debug`.
    """

    input: Path | None
    output: Path | None
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


def restore_job(job: Job, options: BatchOptions, on_step: JobHook) -> PhotoResult:
    """Read, restore and write one photo. Whatever goes wrong with it becomes a failed `PhotoResult`."""
    started = time.perf_counter()
    restart_peak()
    outcome = PhotoResult(job.input, job.output, "failed", method=options.method)
    try:
        outcome = _restore(job, options, on_step, outcome)
    except (UnblurError, MemoryError, OSError) as error:
        outcome = replace(outcome, error=_sentence(error), fault=_fault_of(error), trace=traceback.format_exc())
    except Exception as error:  # the boundary of one photo: the next ones must not suffer from our faults
        told = f"unblur itself failed ({type(error).__name__}: {' '.join(str(error).split())}); --debug shows where"
        outcome = replace(outcome, error=told, fault="bug", trace=traceback.format_exc())
    return replace(outcome, seconds=time.perf_counter() - started, peak_mb=peak_mb())


def _restore(job: Job, options: BatchOptions, on_step: JobHook, outcome: PhotoResult) -> PhotoResult:
    def report_step(step: Step) -> None:
        check_interrupted()
        on_step(job, step)

    _refuse_taken_names(job)
    method = options.ready_method
    needs_torch = not isinstance(method, PictureMethod)
    device = choose_device(options.restore.device) if needs_torch else "cpu"
    made_with = options.fingerprint(job.input) if job.input else ""
    source = job.input if job.input else sys.stdin.buffer.read(options.limits.max_bytes + 1)
    picture = read_image(source, limits=options.limits, allow_damaged=options.allow_damaged)
    saver = _open_saver(job, options, picture)
    on_photo_step = report_step if saver is None else _both(report_step, saver)
    answer = restore_picture(picture, method, options.restore, on_photo_step)
    with shielded():
        notes = _write(job, options, answer)
        if saver is not None and saver.count == 0:
            notes = (*notes, "this method shows no images on its way, so none were saved")
        if options.save_motion is not None:
            notes = (*notes, *_save_motion(job, options.save_motion, picture, answer))
        if job.output and job.input:
            write_note(job.output, made_with)
    return replace(
        outcome,
        status="done",
        settings=asdict(method.settings),
        kernel_size=None if answer.kernel is None else (answer.kernel.shape[-1], answer.kernel.shape[-2]),
        device=device,
        warnings=tuple(dict.fromkeys((*picture.facts.notes, *answer.warnings, *notes))),
        facts=answer.facts,
    )


def _open_saver(job: Job, options: BatchOptions, photo: Picture) -> StepSaver | None:
    if options.save_steps is None:
        return None
    _make_folder(options.save_steps)
    return StepSaver(options.save_steps, _name_of(job), photo, overwrite=job.overwrite)


def _save_motion(job: Job, folder: Path, photo: Picture, answer: Restoration[Picture]) -> tuple[str, ...]:
    """Write the motion field, if there is one; returns what there is to say about it."""
    if answer.motion_field is None:
        return ("no motion was found, by this method or for a photo in tiles, so none was saved",)
    from unblur.batch.motion import save_motion  # noqa: PLC0415 - drawing, for those who ask for it

    _make_folder(folder)
    save_motion(answer.motion_field, folder, _name_of(job), photo, overwrite=job.overwrite)
    return ()


def _name_of(job: Job) -> str:
    return "stdin" if job.input is None else job.input.name


def _both(first: StepHook, second: StepHook) -> StepHook:
    def on_step(step: Step) -> None:
        first(step)
        second(step)

    return on_step


def _refuse_taken_names(job: Job) -> None:
    """Say now, before minutes of work, what writing would say in the end."""
    for target in targets_of(job):
        if target and not job.overwrite and os.path.lexists(target):
            which = "exists" if target == job.output else f"is not written, because the kernel file {target} exists"
            raise WriteError(f"{which} already; --overwrite replaces it, --resume passes over what is done")


def _write(job: Job, options: BatchOptions, answer: Restoration[Picture]) -> tuple[str, ...]:
    """Write the photo and, if wished, its kernel; returns what there is to say about it."""
    notes: tuple[str, ...] = ()
    if job.output is None:
        data, notes = encode_image(answer.image, answer.image.facts.format, strip_metadata=options.strip_metadata)
        _pipe_out(data)
    else:
        _make_folder(job.output.parent)
        notes = write_image(
            answer.image,
            job.output,
            format=_format_for(job, answer.image),
            overwrite=job.overwrite,
            strip_metadata=options.strip_metadata,
        )
    if job.kernel_output is None:
        return notes
    if answer.kernel is None:
        return (*notes, "this method finds no kernel, so none was saved")
    _make_folder(job.kernel_output.parent)
    write_kernel(job.kernel_output, answer.kernel[0].mean(0).cpu().numpy(), overwrite=job.overwrite)
    return notes


def _format_for(job: Job, picture: Picture) -> str | None:
    """None, so that the name decides, unless it only carries on the input's, which may be wrong or say nothing."""
    if job.input is None or job.output is None:
        return None
    return picture.facts.format if job.output.suffix in (job.input.suffix, ".unblur") else None


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"the output folder cannot be made: {explain(error)}") from error


def _pipe_out(data: bytes) -> None:
    try:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except OSError as error:
        raise OutputError(f"cannot write to standard output: {explain(error)}") from error


def _sentence(error: UnblurError | MemoryError | OSError) -> str:
    if isinstance(error, MemoryError):
        return "needs more memory than there is"
    return explain(error) if isinstance(error, OSError) else str(error)


def _fault_of(error: Exception) -> Fault:
    if isinstance(error, OutputError):
        return "place"
    if isinstance(error, WriteError):
        return "name"
    return "usage" if isinstance(error, UsageError) else "photo"
