"""Which photo becomes which files: settled for all of them before the first pixel is read."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from unblur.batch.collisions import check_collisions
from unblur.batch.inputs import (
    IMAGE_SUFFIXES,
    Failure,
    Found,
    SkippedFile,
    describe_skipped,
    find_inputs,
    is_address,
)
from unblur.batch.jobs import PhotoJob, Replaceable
from unblur.batch.naming import names_format, output_beside, output_name, side_places, side_stem, split_name, tagged
from unblur.batch.places import Place, is_folder, parse_place
from unblur.errors import OutputError, UsageError
from unblur.images.signatures import Format
from unblur.system.stores import Address, is_store

__all__ = ["DEFAULT_NAME", "Plan", "SideOutputs", "make_plan"]

DEFAULT_NAME = ""
"""Given as `SideOutputs.kernel`: `NAME.unblur.kernel.png` and `.npy`, beside the output."""


@dataclass(frozen=True)
class SideOutputs:
    """What is written beside the restored photos, by the names that the user gives; None: not at all.

    Attributes:
        kernel: A file name for one photo, a folder for several, or `DEFAULT_NAME`.
        steps: Folder for the image after each step.
        motion: Folder for the motion, as numbers and pictures.
        report: File with a line for each photo, `-` for standard output.
        gallery: HTML file with all photos before and after.
    """

    kernel: str | None = None
    steps: str | None = None
    motion: str | None = None
    report: str | None = None
    gallery: str | None = None


@dataclass(frozen=True)
class Plan:
    """What to do.

    Attributes:
        jobs: One for each photo.
        failures: What was named but cannot be used.
        not_photos: What lies in the named folders and is not taken for a photo.
        skipped: Photos whose output is there already, made with the same options.
        redone: How many of `jobs` replace an output that was made with other options, or of another photo.
    """

    jobs: tuple[PhotoJob, ...]
    failures: tuple[Failure, ...] = ()
    not_photos: tuple[SkippedFile, ...] = ()
    skipped: tuple[PhotoJob, ...] = ()
    redone: int = 0


def make_plan(
    names: Sequence[str],
    *,
    output: str | None = None,
    recursive: bool = False,
    in_place: bool = False,
    replaceable: Replaceable = "nothing",
    side: SideOutputs | None = None,
    read_too: Iterable[str | os.PathLike[str]] = (),
    written_as: Format | None = None,
    may_be_empty: bool = False,
    burst: bool = False,
) -> Plan:
    """Match inputs with outputs.

    Args:
        names: Files, folders, patterns, or `-` for standard input.
        output: A file for one photo, a folder (made if need be, the tree below a named folder is mirrored in it) for
            several, `-` for standard output; None: `NAME.unblur.EXT` beside each input.
        recursive: Folders with all that is below them.
        in_place: Write onto the inputs.
        replaceable: Which existing outputs may be replaced.
        side: What is written beside the photos.
        read_too: Further files that are read and must not be written onto.
        written_as: Format of the outputs whose names are made here; None: that of each photo, TIFF for camera raw.
        may_be_empty: Folders without photos are no error: some may come.
        burst: All photos are of one scene and become one, in the place of the first.

    Raises:
        UsageError: Nothing to do, two files with one name, an output that is an input, or a name of the wrong kind.
        OutputError: The place for the outputs cannot be used.
    """
    side = side or SideOutputs()
    if in_place and output is not None:
        raise UsageError("--in-place writes onto the inputs, so there can be no --output beside it")
    for option, place in _places_by_option(output, side):
        if is_address(place) or (is_store(place) and option != "--output"):
            raise UsageError(f"{option} takes the name of a file or folder, and {place} is an address")
    if written_as is not None:
        _check_format(written_as, output, in_place=in_place)
    folder = parse_place(output) if output is not None and _means_folder(output, names) else None
    own_folders = [_free_of_links(parse_place(str(place))) for place in (folder, side.steps, side.motion) if place]
    seen = list(find_inputs(names, recursive=recursive, avoid=frozenset(own_folders)))
    found = _without_repeats(item for item in seen if isinstance(item, Found))
    failures = tuple(item for item in seen if isinstance(item, Failure))
    not_photos = tuple(item for item in seen if isinstance(item, SkippedFile))
    if not found and not failures and not may_be_empty:
        raise UsageError(_nothing_found(len(names), not_photos))
    companions = _companions(found) if burst else ()
    found = found[:1] if burst else found
    if output not in (None, "-") and folder is None and len(found) + len(failures) > 1:
        folder = parse_place(output)
    if output is not None and output != "-":
        if folder is not None:
            _refuse_file_name(output, "--output")
        _check_place(parse_place(output), "the output", is_folder=folder is not None)
    jobs = [
        PhotoJob(
            item.path,
            _output_of(item, output, folder, written_as, in_place=in_place),
            in_place=in_place,
            replaceable="anything" if in_place else replaceable,
            burst=companions,
        )
        for item in found
    ]
    jobs = _with_side_outputs(jobs, found, side)
    check_collisions(jobs, {"the report": side.report, "the gallery": side.gallery}, [*read_too, *companions])
    return Plan(tuple(jobs), failures, not_photos)


def _free_of_links(place: Place) -> Place:
    return place.resolve() if isinstance(place, Path) else place


def _companions(found: Sequence[Found]) -> tuple[Path, ...]:
    """The files of a burst after the first."""
    paths = [item.path for item in found]
    files = [path for path in paths if isinstance(path, Path)]
    if len(files) < len(paths):
        raise UsageError(
            "the photos of a burst are files of this machine; none of them can come from a pipe or a store"
        )
    if len(paths) < 2:
        raise UsageError("a burst is several photos of one scene, and here is one; name the others too")
    return tuple(files[1:])


def _check_format(written_as: Format, output: str | None, *, in_place: bool) -> None:
    """Refuse a format that the output's own name contradicts."""
    if in_place:
        raise UsageError("--in-place keeps each photo's format, so there can be no --format beside it")
    suffix = Path(output or "").suffix.lower()
    if suffix in IMAGE_SUFFIXES and not Path(output or "").is_dir() and not names_format(suffix, written_as):
        raise UsageError(f"--output {output} and --format {written_as} are different formats; leave one of them out")


def _places_by_option(output: str | None, side: SideOutputs) -> list[tuple[str, str]]:
    options = {
        "--output": output,
        "--save-kernel": side.kernel,
        "--save-steps": side.steps,
        "--save-motion": side.motion,
        "--report": side.report,
        "--gallery": side.gallery,
    }
    return [(option, place) for option, place in options.items() if place]


def _nothing_found(names: int, not_photos: Sequence[SkippedFile]) -> str:
    what = f"there are no photos in {'this folder' if names == 1 else 'these folders'}"
    described = describe_skipped(not_photos)
    return f"{what}; passed over: {described}" if described else what


def _means_folder(output: str, names: Sequence[str]) -> bool:
    if output == "-":
        return False
    return (
        output.endswith(os.sep)
        or is_folder(parse_place(output))
        or any(name != "-" and is_folder(parse_place(name)) for name in names)
    )


def _without_repeats(found: Iterable[Found]) -> list[Found]:
    """Each file once, though it may be named by itself and with its folder."""
    kept: dict[str, Found] = {}
    for item in found:
        name = os.path.abspath(item.path) if isinstance(item.path, Path) else str(item.path)  # noqa: PTH100 - keeps links
        kept.setdefault(name, item)
    return list(kept.values())


def _refuse_file_name(place: str, option: str, suffixes: frozenset[str] = IMAGE_SUFFIXES) -> None:
    """Refuse what is meant as a file where a folder is needed; a folder of such a name that exists is one."""
    path = Path(place)
    if path.suffix.lower() in suffixes and not place.endswith(os.sep) and not path.is_dir():
        raise UsageError(
            f"{option} {place} is the name of a file, and a folder is needed here; "
            "name a folder, or end its name with / if it really is one"
        )


def _check_place(place: Place, what: str, *, is_folder: bool) -> None:
    """Find out now, not after an hour, that nothing can be written there; a store says so at the first photo."""
    if isinstance(place, Address):
        return
    if os.path.exists(place):  # noqa: PTH110 - unlike Path.exists, it answers where there is no permission
        if is_folder and not place.is_dir():
            raise OutputError(f"{what} is a file, and a folder is needed here")
        if not is_folder and not stat.S_ISREG(place.stat().st_mode):
            raise OutputError(f"{what} is not a regular file; give - to write to standard output")
    nearest = place if is_folder else place.parent
    while not os.path.lexists(nearest) and nearest != nearest.parent:
        nearest = nearest.parent
    if not os.path.isdir(nearest):  # noqa: PTH112 - as above
        raise OutputError(f"the folder for {what} cannot be made: a file is in its way")
    if not os.access(nearest, os.W_OK | os.X_OK, effective_ids=os.access in os.supports_effective_ids):
        raise OutputError(f"there is no permission to write into the folder for {what}")


def _output_of(
    found: Found, output: str | None, folder: Place | None, written_as: Format | None, *, in_place: bool
) -> Place | None:
    if in_place and found.path is not None:
        if isinstance(found.path, Address):
            raise UsageError("--in-place is for files of this machine; leave it or the store out")
        return found.path.resolve()
    if folder is not None:
        if found.path is None:
            raise UsageError("a photo from a pipe has no name of its own; give a file name as --output")
        return folder / output_name(found.place, written_as)
    if output is not None:
        return None if output == "-" else parse_place(output)
    return found.path and output_beside(found.path, written_as)


def _with_side_outputs(jobs: Sequence[PhotoJob], found: Sequence[Found], side: SideOutputs) -> list[PhotoJob]:
    places = side_places(found)
    for option, folder in (("--save-steps", side.steps), ("--save-motion", side.motion)):
        if folder is not None:
            _refuse_file_name(folder, option)
            _check_place(Path(folder), f"the folder of {option}", is_folder=True)
    if side.report not in (None, "-"):
        _check_place(Path(side.report), "the report", is_folder=False)
    if side.gallery is not None:
        _check_place(Path(side.gallery), "the gallery", is_folder=False)
    return [
        replace(
            job,
            kernel=kernel,
            steps=side_stem(Path(side.steps), place) if side.steps is not None else None,
            motion=side_stem(Path(side.motion), place) if side.motion is not None else None,
        )
        for job, place, kernel in zip(jobs, places, _kernel_names(jobs, places, side.kernel), strict=True)
    ]


def _kernel_names(jobs: Sequence[PhotoJob], places: Sequence[Path], wanted: str | None) -> list[Place | None]:
    """Where each photo's kernel is saved as PNG."""
    if wanted is None:
        return [None] * len(jobs)
    if wanted != DEFAULT_NAME and len(jobs) > 1:
        _refuse_file_name(wanted, "--save-kernel", IMAGE_SUFFIXES | {".npy"})
    if wanted == DEFAULT_NAME or len(jobs) > 1 or wanted.endswith(os.sep) or Path(wanted).is_dir():
        folders = [_kernel_folder(job, place, wanted) for job, place in zip(jobs, places, strict=True)]
        return list(_distinct_kernel_names(folders, places))
    _check_place(Path(wanted), "the kernel file", is_folder=False)
    return [Path(wanted).with_suffix(".png")] * len(jobs)


def _kernel_folder(job: PhotoJob, place: Path, wanted: str) -> Place:
    beside = job.output or job.input
    if wanted != DEFAULT_NAME:
        return Path(wanted) / place.parent
    if beside is None:
        raise UsageError("a photo from a pipe has no name to save the kernel under; give --save-kernel=FILE")
    return beside.parent


def _distinct_kernel_names(folders: Sequence[Place], places: Sequence[Path]) -> Iterable[Place]:
    taken: set[Place] = set()
    for folder, place in zip(folders, places, strict=True):
        name = folder / tagged(split_name(place.name)[0], ".kernel.png")
        if name in taken:  # same.jpg and same.png
            name = folder / tagged(place.name, ".kernel.png")
        taken.add(name)
        yield name
