"""`unblur restore`: its options, and what they mean together."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args

import typer
from typer.core import TyperCommand

from unblur.batch.inputs import explain, is_address, split_list
from unblur.batch.plan import DEFAULT_NAME, Plan, SideOutputs, make_plan
from unblur.cli.option_parameters import with_restore_options
from unblur.cli.options import parse_settings
from unblur.errors import UsageError
from unblur.images.limits import Limits
from unblur.images.signatures import Format, Frames
from unblur.methods.catalog import DEFAULT_METHOD, list_entries
from unblur.methods.options import RestoreOptions, check_burst
from unblur.system.stores import is_store
from unblur.system.streams import is_closed

if TYPE_CHECKING:
    from unblur.batch.executors import Executor

__all__ = ["COMMAND", "restore", "settle_engine", "settle_save_kernel"]

Place = Literal["local", "ray"]
"""Where photos are restored: on this machine, or in a Ray cluster."""

_OUTPUT = "Output"
_MANY = "Many photos"
_RUN = "How it runs"


def _option(text: str, *names: str, metavar: str = "", panel: str | None = None, **more: Any) -> Any:
    """An option for typer; without a metavar it is a flag, and help shows no type beside it."""
    return typer.Option(*names, metavar=metavar, help=text, rich_help_panel=panel, **more)


@with_restore_options
def restore(  # noqa: PLR0917 - typer reads the options off the signature
    options: RestoreOptions,
    context: typer.Context,
    inputs: Annotated[list[str] | None, typer.Argument(metavar="IN", help="Photos, folders, patterns, or -.")] = None,
    output: Annotated[
        str | None,
        _option(
            "File for one photo, folder for several, or -. Default: NAME.unblur.EXT beside the input.",
            "--output",
            "-o",
            metavar="PATH",
        ),
    ] = None,
    method: Annotated[
        str,
        _option(
            "How to restore; 'unblur methods' lists the methods.",
            "--method",
            "-m",
            metavar="NAME",
            autocompletion=lambda: list(list_entries()),
        ),
    ] = DEFAULT_METHOD,
    settings: Annotated[
        list[str] | None, _option("A setting of the method; may be repeated.", "--set", metavar="NAME=VALUE")
    ] = None,
    weights: Annotated[
        str | None,
        _option(
            "For a trained method, in place of its own: a file, or what 'unblur weights list' shows.", metavar="NAME"
        ),
    ] = None,
    save_kernel: Annotated[
        str | None,
        _option(
            "Save the kernel that was found, as 16-bit .png and as .npy. Default: NAME.unblur.kernel.png.",
            metavar="[FILE]",
            panel=_OUTPUT,
        ),
    ] = None,
    overwrite: Annotated[bool, _option("Replace outputs that exist.", "--overwrite", panel=_OUTPUT)] = False,
    in_place: Annotated[bool, _option("Write onto the inputs themselves.", "--in-place", panel=_OUTPUT)] = False,
    save_steps: Annotated[
        str | None,
        _option(
            "Save the image after each step of a method that shows any, as PNG in this folder.",
            metavar="FOLDER",
            panel=_OUTPUT,
        ),
    ] = None,
    save_motion: Annotated[
        str | None,
        _option(
            "Save the motion of a method that finds it in this folder: as numbers, as colours, as arrows.",
            metavar="FOLDER",
            panel=_OUTPUT,
        ),
    ] = None,
    written_as: Annotated[
        Format | None,
        _option(
            "Format of the outputs. Default: that of --output's name, else that of the photo (raw: TIFF).",
            "--format",
            metavar="NAME",
            panel=_OUTPUT,
        ),
    ] = None,
    quality: Annotated[
        int | None,
        _option(
            "Quality of JPEG, WebP, AVIF and HEIC, 1 to 100. Default: 95, of AVIF and HEIC 90.",
            metavar="N",
            panel=_OUTPUT,
            min=1,
            max=100,
        ),
    ] = None,
    burst: Annotated[
        bool,
        _option("The photos are of one scene: one sharp photo is made of all, as the first.", "--burst", panel=_MANY),
    ] = False,
    strip_metadata: Annotated[
        bool, _option("Leave out EXIF, XMP and place; colours stay.", "--strip-metadata", panel=_OUTPUT)
    ] = False,
    recursive: Annotated[
        bool, _option("Take folders with all that is below them.", "--recursive", "-r", panel=_MANY)
    ] = False,
    files_from: Annotated[
        str | None, _option("Read the names of inputs from a file (or -), one a line.", metavar="FILE", panel=_MANY)
    ] = None,
    null: Annotated[bool, _option("Names in --files-from end with a zero byte.", "--null", "-0", panel=_MANY)] = False,
    jobs: Annotated[
        int | None,
        _option(
            "Photos at the same time. Default: 1; with ray, one for each GPU or core.",
            "--jobs",
            "-j",
            metavar="N",
            panel=_MANY,
            min=1,
        ),
    ] = None,
    executor: Annotated[
        Place, _option("Where: local, or ray (a cluster); --engine says the same.", metavar="NAME", panel=_MANY)
    ] = "local",
    address: Annotated[
        str | None,
        _option("Of the Ray cluster, or auto. Default: one on this machine.", metavar="HOST:PORT", panel=_MANY),
    ] = None,
    resume: Annotated[
        bool, _option("Pass over photos that were restored before with the same options.", "--resume", panel=_MANY)
    ] = False,
    report: Annotated[
        str | None, _option("Write what became of each photo, one JSON object a line.", metavar="FILE", panel=_MANY)
    ] = None,
    gallery: Annotated[
        str | None, _option("Write a page with all photos before and after.", metavar="FILE.html", panel=_MANY)
    ] = None,
    dry_run: Annotated[
        bool, _option("Say which photo would become which file, and write nothing.", "--dry-run", "-n", panel=_MANY)
    ] = False,
    watch: Annotated[
        bool, _option("Go on: restore what comes into the folders, with --resume.", "--watch", panel=_MANY)
    ] = False,
    max_pixels: Annotated[
        int, _option("Refuse photos with more pixels.", metavar="N", panel=_RUN, min=1)
    ] = Limits.max_pixels,
    frames: Annotated[
        Frames,
        _option("Which pages or frames: all, first, or auto (of animations the first).", metavar="WHICH", panel=_RUN),
    ] = "auto",
    allow_damaged: Annotated[
        bool, _option("Take what can be decoded of a damaged file.", "--allow-damaged", panel=_RUN)
    ] = False,
    quiet: Annotated[bool, _option("Print errors only.", "--quiet", "-q", panel=_RUN)] = False,
    debug: Annotated[bool, _option("Show the traceback of errors.", "--debug", panel=_RUN)] = False,
) -> int:
    """Restore blurry photos.

    unblur restore photo.jpg                     writes photo.unblur.jpg
    unblur restore photos/ -o sharp/ -r -j 2     a tree of folders, two at a time
    unblur restore photo.png --kernel k.png      with a blur that you know
    unblur restore --burst a.jpg b.jpg c.jpg     one sharp photo of several blurry ones
    unblur restore in/ -o out/ --watch           whatever comes into a folder
    """
    # Here and not above: NumPy and what stands on it take longer to load than help takes to print.
    from unblur.batch.gallery import Gallery  # noqa: PLC0415
    from unblur.batch.options import BatchOptions  # noqa: PLC0415
    from unblur.batch.report import Report  # noqa: PLC0415
    from unblur.cli.run_command import carry_out, check_options, show_plan, without_finished  # noqa: PLC0415
    from unblur.cli.watching import watch as follow  # noqa: PLC0415

    names, save_kernel = _settle_names(inputs or [], save_kernel, files_from, null=null)
    batch_options = BatchOptions(
        method=method,
        settings=parse_settings(settings or []),
        weights=weights,
        restore=options,
        limits=Limits(max_pixels=max_pixels),
        frames="first" if burst else frames,
        allow_damaged=allow_damaged,
        strip_metadata=strip_metadata,
        format=written_as,
        quality=quality,
    )
    check_options(batch_options)
    _check_together(resume=resume or watch, in_place=in_place, gallery=gallery)
    if burst:
        _check_burst(options, watch=watch)
    replaceable = "anything" if overwrite else "own" if resume or watch else "nothing"
    plan_now = partial(
        make_plan,
        names,
        output=output,
        recursive=recursive,
        in_place=in_place,
        replaceable=replaceable,
        written_as=written_as,
        side=SideOutputs(save_kernel, save_steps, save_motion, report, gallery),
        read_too=[
            name for name in (files_from, weights, *(context.params[option] for option in ("kernel", "mask"))) if name
        ],
        may_be_empty=watch,
        burst=burst,
    )
    plan = plan_now()
    where = _choose_executor(executor, address, jobs, in_place=in_place, watch=watch)
    if watch:
        _check_watch(names, overwrite=overwrite, dry_run=dry_run, gallery=gallery)
    _check_pipes(plan)

    def run(plan: Plan) -> int:
        if resume or watch:
            plan = without_finished(plan, batch_options, quiet=quiet)
        if dry_run:
            return show_plan(plan, batch_options, quiet=quiet)
        if watch:
            plan = replace(plan, skipped=())  # said at every look, it would drown what is new
            if not plan.jobs and not plan.failures:
                return 0
        open_report = None if report is None else Report(report, replaceable)
        open_gallery = None if gallery is None else Gallery(gallery, replaceable, batch_options.limits)
        return carry_out(plan, batch_options, where, open_report, open_gallery, quiet=quiet, debug=debug)

    return follow(plan_now, run) if watch else run(plan)


class _RestoreCommand(TyperCommand):
    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        return super().parse_args(ctx, settle_engine(settle_save_kernel(args)))


COMMAND = {"cls": _RestoreCommand}
"""How the parser reads this command's line."""


def settle_save_kernel(words: Sequence[str]) -> list[str]:
    """The command line with a value for every `--save-kernel`, which typer cannot do without.

    Its value may be left out. The word after it is the value if it could be one: a name that ends in .png or .npy, or a
    folder.
    """
    settled: list[str] = []
    for index, word in enumerate(words):
        if word == "--":
            return [*settled, *words[index:]]
        following = words[index + 1] if index + 1 < len(words) else ""
        is_value = following.endswith((".png", ".npy", "/")) and not following.startswith("-")
        settled.append("--save-kernel=" if word == "--save-kernel" and not is_value else word)
    return settled


def settle_engine(words: Sequence[str]) -> list[str]:
    """The command line with `--executor` wherever `--engine` names a place: what computes networks is another choice.

    Both can be given: `--engine ray --engine onnx`.
    """
    settled: list[str] = []
    rest = iter(words)
    for word in rest:
        if word == "--":
            return [*settled, word, *rest]
        joined = f"{word}={next(rest, '')}" if word == "--engine" else word
        option, _, value = joined.partition("=")
        settled.append(f"--executor={value}" if option == "--engine" and value in get_args(Place) else joined)
    return settled


def _choose_executor(name: Place, address: str | None, jobs: int | None, *, in_place: bool, watch: bool) -> Executor:
    from unblur.batch.executors import LocalExecutor  # noqa: PLC0415 - NumPy, as in `restore`

    if name == "local":
        if address is not None:
            raise UsageError("--address is that of a Ray cluster; give --engine ray with it")
        return LocalExecutor(jobs or LocalExecutor.processes)
    if in_place:
        raise UsageError("--in-place could restore a photo twice when a machine is lost; leave it out in a cluster")
    if watch:
        raise UsageError("--watch restores on this machine alone; leave it or --engine ray out")
    from unblur.cluster.executor import RayExecutor  # noqa: PLC0415

    return RayExecutor(address, jobs)


def _check_together(*, resume: bool, in_place: bool, gallery: str | None) -> None:
    if in_place and resume:
        raise UsageError("--resume cannot determine which inputs --in-place has written onto; leave one of them out")
    if in_place and gallery is not None:
        raise UsageError("--gallery shows the photos as they were, and --in-place leaves none; leave one of them out")


def _check_burst(options: RestoreOptions, *, watch: bool) -> None:
    if watch:
        raise UsageError("--watch restores photo by photo, and --burst makes one of several; leave one of them out")
    check_burst(options)


def _check_watch(names: Sequence[str], *, overwrite: bool, dry_run: bool, gallery: str | None) -> None:
    for option, given in {"--overwrite": overwrite, "--dry-run": dry_run, "--gallery": gallery is not None}.items():
        if given:
            raise UsageError(f"{option} is for a run that ends, and --watch goes on; leave one of them out")
    if any(is_store(name) for name in names):
        raise UsageError("--watch takes folders of this machine, and a store is named")
    if not any(Path(name).is_dir() for name in names):
        raise UsageError("--watch takes folders, and none is named")


def _settle_names(
    inputs: list[str], save_kernel: str | None, files_from: str | None, *, null: bool
) -> tuple[list[str], str | None]:
    if not inputs and files_from is None and save_kernel:
        # `--save-kernel photo.png`: the only word there is must be the photo.
        return [save_kernel], DEFAULT_NAME
    if null and files_from is None:
        raise UsageError("--null is for the names in --files-from")
    names = inputs + ([] if files_from is None else _read_list(files_from, null=null))
    if not names and files_from is not None:
        raise UsageError(
            f"the list {files_from} names no photo" if files_from != "-" else "standard input names no photo"
        )
    if not names:
        raise UsageError("no photo is named; try unblur restore --help")
    if files_from == "-" and "-" in inputs:
        raise UsageError("standard input cannot be the photo and the list of names at once")
    return names, save_kernel


def _read_list(place: str, *, null: bool) -> list[str]:
    if place == "-":
        if is_closed(0):
            raise UsageError("standard input is closed, so no list can be read from it")
        return split_list(sys.stdin.buffer, null=null)
    if is_address(place) or is_store(place):
        raise UsageError("--files-from takes the name of a file, not an address; pipe the list in: --files-from -")
    try:
        # A pipe that the shell made, <(...), is open already; a named one would be waited for.
        if stat.S_ISREG(Path(place).stat().st_mode) or os.path.realpath(place).startswith("/proc/"):
            with Path(place).open("rb") as file:
                return split_list(file, null=null)
    except OSError as error:
        raise UsageError(f"the list {place} {explain(error)}") from error
    raise UsageError(f"the list {place} is a folder, device or pipe and no file; give - to read it from a pipe")


def _check_pipes(plan: Plan) -> None:
    if any(job.input is None for job in plan.jobs):
        if is_closed(0):
            raise UsageError("standard input is closed, so no photo can be read from it")
        if sys.stdin.isatty():
            raise UsageError("standard input is a terminal; pipe a photo in")
    if any(job.output is None for job in plan.jobs):
        if is_closed(1):
            raise UsageError("standard output is closed, so no photo can be written to it; give --output")
        if sys.stdout.isatty():
            raise UsageError("standard output is a terminal; give --output, or pipe the photo into a file")
