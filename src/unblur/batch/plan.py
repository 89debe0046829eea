"""Which photo becomes which file: settled for all of them before the first pixel is read."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

from unblur.batch.inputs import Failure, Found, find_inputs
from unblur.errors import OutputError, UsageError

__all__ = ["DEFAULT_NAME", "Job", "Plan", "make_plan", "targets_of"]

DEFAULT_NAME = ""
"""Given as `save_kernel`: `NAME.unblur.kernel.png` and `.npy`, beside the output."""

_LONGEST_NAME = 255  # bytes, in every file system that is common on Linux, macOS and Windows


@dataclass(frozen=True)
class Job:
    """One photo to restore.

    Attributes:
        input: The file; None: standard input.
        output: The file to write; None: standard output.
        kernel_output: Where to save the kernel as PNG, with `.npy` beside it; None: not at all.
        overwrite: An existing output may be replaced.
    """

    input: Path | None
    output: Path | None
    kernel_output: Path | None = None
    overwrite: bool = False


@dataclass(frozen=True)
class Plan:
    """What to do.

    Attributes:
        jobs: One for each photo.
        failures: What was named but cannot be used.
        skipped: Photos whose output is there already, made with the same wishes.
        redone: How many of `jobs` replace an output that was made with other wishes.
    """

    jobs: tuple[Job, ...]
    failures: tuple[Failure, ...] = ()
    skipped: tuple[Job, ...] = ()
    redone: int = 0


def make_plan(
    names: Sequence[str],
    *,
    output: str | None = None,
    recursive: bool = False,
    in_place: bool = False,
    overwrite: bool = False,
    save_kernel: str | None = None,
) -> Plan:
    """Match inputs with outputs.

    Args:
        names: Files, folders, patterns, or `-` for standard input.
        output: A file for one photo, a folder (made if need be, the tree below a named folder is mirrored in it) for
            several, `-` for standard output; None: `NAME.unblur.EXT` beside each input.
        recursive: Folders with all that is below them.
        in_place: Write onto the inputs.
        overwrite: Existing outputs may be replaced.
        save_kernel: A file name for one photo, a folder for several, or `DEFAULT_NAME`; None: do not save it.

    Raises:
        UsageError: Nothing to do, two photos with one output, or an output that is an input.
        OutputError: The place for the outputs cannot be used.
    """
    if in_place and output is not None:
        raise UsageError("--in-place writes onto the inputs, so there can be no --output beside it")
    folder = Path(output) if output is not None and _means_folder(output, names) else None
    seen = list(find_inputs(names, recursive=recursive, avoid=folder.resolve() if folder else None))
    found = _without_repeats(item for item in seen if isinstance(item, Found))
    failures = tuple(item for item in seen if isinstance(item, Failure))
    if not seen:
        raise UsageError(f"there are no photos in {'this folder' if len(names) == 1 else 'these folders'}")
    if output not in (None, "-") and folder is None and len(found) + len(failures) > 1:
        folder = Path(output)
    if output is not None and output != "-":
        _check_place(Path(output), is_folder=folder is not None)
    jobs = [
        Job(item.path, _output_of(item, output, folder, in_place), overwrite=overwrite or in_place) for item in found
    ]
    jobs = _with_kernels(jobs, save_kernel)
    _check_outputs(jobs, in_place)
    return Plan(tuple(jobs), failures)


def targets_of(job: Job) -> list[Path | None]:
    """Every file that a job writes; None: standard output."""
    kernels = [job.kernel_output, job.kernel_output.with_suffix(".npy")] if job.kernel_output else []
    return [job.output, *kernels]


def _means_folder(output: str, names: Sequence[str]) -> bool:
    if output == "-":
        return False
    return (
        output.endswith(os.sep) or Path(output).is_dir() or any(name != "-" and Path(name).is_dir() for name in names)
    )


def _without_repeats(found: Iterable[Found]) -> list[Found]:
    """Each file once, though it may be named by itself and with its folder."""
    kept: dict[str, Found] = {}
    for item in found:
        kept.setdefault("-" if item.path is None else os.path.abspath(item.path), item)  # noqa: PTH100 - keeps links
    return list(kept.values())


def _check_place(output: Path, *, is_folder: bool) -> None:
    """Find out now, not after an hour, that nothing can be written there."""
    if output.exists():
        if is_folder and not output.is_dir():
            raise OutputError("the output is a file, and these photos need a folder")
        if not is_folder and not stat.S_ISREG(output.stat().st_mode):
            raise OutputError("the output is not a regular file; give - to write to standard output")
    nearest = output if is_folder else output.parent
    while not os.path.lexists(nearest):
        nearest = nearest.parent
    if not nearest.is_dir():
        raise OutputError("the output folder cannot be made: a file is in its way")
    if not os.access(nearest, os.W_OK | os.X_OK, effective_ids=os.access in os.supports_effective_ids):
        raise OutputError("there is no permission to write into the output folder")


def _output_of(found: Found, output: str | None, folder: Path | None, in_place: bool) -> Path | None:
    if in_place and found.path is not None:
        return found.path.resolve()
    if folder is not None:
        if found.path is None:
            raise UsageError("a photo from a pipe has no name of its own; give a file name as --output")
        return folder / found.place
    if output is not None:
        return None if output == "-" else Path(output)
    return found.path and found.path.with_name(_tagged(*_split_name(found.path.name)))


def _split_name(name: str) -> tuple[str, str]:
    """Stem and suffix; what follows the last dot is no suffix if it is a whole sentence."""
    suffix = Path(name).suffix
    return (name.removesuffix(suffix), suffix) if len(os.fsencode(suffix)) <= 16 else (name, "")


def _tagged(stem: str, ending: str) -> str:
    """`STEM.unblur` and the ending, with the stem cut where the file system would refuse it."""
    ending = f".unblur{ending}"
    room = _LONGEST_NAME - len(os.fsencode(ending))
    stem_bytes = os.fsencode(stem)
    if len(stem_bytes) > room:
        # Names that differ only in what is cut off stay different by the checksum.
        check = "~" + sha256(stem_bytes).hexdigest()[:8]
        stem = stem_bytes[: room - len(check)].decode("utf-8", "ignore") + check
    return stem + ending


def _with_kernels(jobs: Sequence[Job], save_kernel: str | None) -> list[Job]:
    if save_kernel is None:
        return list(jobs)
    taken: set[Path] = set()
    with_kernels: list[Job] = []
    for job in jobs:
        place = _kernel_place(job, save_kernel, several=len(jobs) > 1)
        if place in taken and job.input is not None:  # same.jpg and same.png
            place = place.with_name(_tagged(job.input.name, ".kernel.png"))
        taken.add(place)
        with_kernels.append(replace(job, kernel_output=place))
    return with_kernels


def _kernel_place(job: Job, save_kernel: str, *, several: bool) -> Path:
    chosen = Path(save_kernel) if save_kernel != DEFAULT_NAME else None
    if chosen and not (several or chosen.is_dir() or save_kernel.endswith(os.sep)):
        return chosen.with_suffix(".png")
    beside = job.output or job.input
    name = _tagged(_split_name(job.input.name)[0] if job.input else "stdin", ".kernel.png")
    if chosen is None and beside is None:
        raise UsageError("a photo from a pipe has no name to save the kernel under; give --save-kernel=FILE")
    return chosen / name if chosen else (beside or Path()).with_name(name)


def _check_outputs(jobs: Sequence[Job], in_place: bool) -> None:
    inputs = {identity: job.input for job in jobs if (identity := _identity(job.input))}
    makers: dict[Path | None, Path | None] = {}
    for job in jobs:
        for target in targets_of(job):
            real = target and target.parent.resolve() / target.name
            if real in makers:
                raise UsageError(
                    f"{_show(makers[real])} and {_show(job.input)} would both be written to {_show(target)}"
                )
            makers[real] = job.input
            identity = _identity(target)
            source = inputs.get(identity) if identity else None
            if source and not (in_place and target == job.output):
                raise UsageError(f"the output {_show(target)} is the input {_show(source)}; --in-place allows that")


def _identity(path: Path | None) -> tuple[int, int] | None:
    """What makes two names the same file: links, `./` and the case of letters do not matter."""
    try:
        facts = path.stat() if path else None
    except OSError:
        return None
    return (facts.st_dev, facts.st_ino) if facts else None


def _show(path: Path | None) -> str:
    return "-" if path is None else str(path)
