"""`unblur blur`: pairs from sharp photos, with the truth about their blur."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from unblur.batch.inputs import Failure, Found, find_inputs
from unblur.cli.messages import error_line, say, show_name
from unblur.cli.options import parse_settings
from unblur.errors import OutputError, SettingsError, UsageError
from unblur.system.atomic import make_folder
from unblur.system.stores import is_store

if TYPE_CHECKING:
    from unblur.datasets.blur_settings import LearnedBlur, Synthesis
    from unblur.datasets.pair_files import BlurInput, PairOptions

__all__ = ["blur"]

Kind = Literal["linear", "shake", "defocus", "gaussian", "motion-field", "dynamic", "frames", "learned"]


def _option(text: str, *names: str, metavar: str = "", panel: str | None = None, **more: Any) -> Any:
    return typer.Option(*names, metavar=metavar, help=text, rich_help_panel=panel, **more)


_LEARNED = "Learned blur"
_SENSOR = "After the blur"
_RUN = "How it runs"


def blur(  # noqa: PLR0917 - typer reads the options off the signature
    inputs: Annotated[
        list[str],
        typer.Argument(metavar="IN", help="Sharp photos, folders or patterns; for frames: folders of frames, videos."),
    ],
    output: Annotated[
        Path, _option("Folder for blurry/, sharp/, their truth and manifest.jsonl.", "--output", "-o", metavar="DIR")
    ],
    kind: Annotated[Kind, _option("Kind of blur.", metavar="KIND")],
    settings: Annotated[
        list[str] | None,
        _option("A setting of the kind; may be repeated. A wrong one lists them.", "--set", metavar="NAME=VALUE"),
    ] = None,
    kernel_size: Annotated[
        int | None, _option("Side of the kernel in pixels, odd; --set kernel_size=N.", metavar="N")
    ] = None,
    gyro: Annotated[
        str | None, _option("For shake: a recorded gyroscope (.npz); --set gyro=FILE.", metavar="FILE")
    ] = None,
    source: Annotated[
        tuple[Path, Path] | None,
        _option(
            "For learned: the pair whose blur is transferred to the photos.",
            "--from",
            metavar="BLURRY SHARP",
            panel=_LEARNED,
        ),
    ] = None,
    sample: Annotated[
        bool, _option("For learned: a blur sampled from variational weights.", "--sample", panel=_LEARNED)
    ] = False,
    weights: Annotated[
        str | None,
        _option("For learned: weights of the kernel space, a file or a name.", metavar="FILE", panel=_LEARNED),
    ] = None,
    size: Annotated[int | None, _option("Cut squares of this side; default: whole photos.", metavar="N", min=1)] = None,
    encoding: Annotated[
        Literal["linear", "encoded"],
        _option("Where the photo is blurred: linear (in linear light) or encoded (values as stored).", metavar="NAME"),
    ] = "linear",
    variants: Annotated[int, _option("Number of pairs of each photo, each with another blur.", metavar="N", min=1)] = 1,
    gain: Annotated[
        float, _option("Amplify the image by this factor, and clip highlights.", metavar="X", panel=_SENSOR)
    ] = 1.0,
    photons: Annotated[float, _option("Poisson noise: photons at white; 0: none.", metavar="N", panel=_SENSOR)] = 0.0,
    noise: Annotated[
        float, _option("Gaussian noise: standard deviation, white is 1.", metavar="X", panel=_SENSOR)
    ] = 0.0,
    jpeg: Annotated[
        int, _option("Pass the blurry photo through a JPEG of this quality; 0: no.", metavar="1..100", panel=_SENSOR)
    ] = 0,
    seed: Annotated[int, _option("Seed of everything random, with each photo's name.", metavar="N", panel=_RUN)] = 0,
    jobs: Annotated[
        int,
        _option(
            "Photos processed at the same time; no output depends on it.",
            "--jobs",
            "-j",
            metavar="N",
            panel=_RUN,
            min=1,
        ),
    ] = 1,
    recursive: Annotated[bool, _option("Take folders with their subfolders.", "--recursive", "-r", panel=_RUN)] = False,
    overwrite: Annotated[bool, _option("Replace existing outputs.", "--overwrite", panel=_RUN)] = False,
    quiet: Annotated[bool, _option("Print errors only.", "--quiet", "-q", panel=_RUN)] = False,
    debug: Annotated[bool, _option("Show the traceback of errors.", "--debug", panel=_RUN)] = False,  # noqa: ARG001 - for main
) -> int:
    """Blur sharp photos and keep the truth: data for training and benchmarks.

    unblur blur photos/ -o pairs --kind shake --size 512          camera shake
    unblur blur photos/ -o pairs --kind linear --noise 0.01       straight motion and noise
    unblur blur clips/a clips/b -o pairs --kind frames --set count=8
    unblur blur photos/ -o pairs --kind learned --from blurry.png sharp.png
    """
    from unblur.datasets.blur_settings import Sensor, Synthesis  # noqa: PLC0415 - only once it is needed

    given = parse_settings(settings or [])
    given |= {} if kernel_size is None else {"kernel_size": str(kernel_size)}
    given |= {} if gyro is None else {"gyro": gyro}
    learned = _learned_blur(kind, given, source, weights, sample=sample)
    synthesis = Synthesis(learned or _settings_of(kind, given), Sensor(gain, photons, noise, jpeg), encoding, size)
    _check_together(synthesis, kind, variants)
    sources, failures = _find_sources(inputs, kind, output, recursive=recursive)
    for failure in failures:
        say(error_line(failure.reason, failure.name))
    _check_output(output, sources.values(), overwrite=overwrite)

    from unblur.datasets.pair_files import BlurInput, PairOptions  # noqa: PLC0415 - torch, which wrong use does without

    options = PairOptions(synthesis, output, seed, variants, overwrite)
    if learned is not None:
        from unblur.cli.learned_blur import maker_of  # noqa: PLC0415 - as above

        options = replace(options, make=maker_of(learned))
    failed = _write_all([BlurInput(path, place) for place, path in sources.items()], options, jobs, quiet=quiet)
    return 1 if failed or failures else 0


def _learned_blur(
    kind: str, given: dict[str, str], source: tuple[Path, Path] | None, weights: str | None, *, sample: bool
) -> LearnedBlur | None:
    """The settings of learned blur; None: another kind."""
    from unblur.datasets.blur_settings import LEARNED, LearnedBlur  # noqa: PLC0415
    from unblur.methods.loading import choose_weights  # noqa: PLC0415

    if kind != LEARNED:
        if source is not None or sample or weights is not None:
            raise UsageError("--from, --sample and --weights are for --kind learned")
        return None
    if given:
        raise UsageError("learned blur has no settings; it is given by --from BLURRY SHARP or --sample")
    if (source is None) is not sample:
        raise UsageError("learned blur is that of a pair (--from BLURRY SHARP) or a sample (--sample)")
    chosen = choose_weights("kernel-space", weights) or ""
    return LearnedBlur(chosen) if source is None else LearnedBlur(chosen, str(source[0]), str(source[1]))


def _settings_of(kind: str, given: dict[str, str]) -> Any:
    from unblur.datasets.blur_settings import find_kind  # noqa: PLC0415
    from unblur.methods.settings import describe_settings, make_settings  # noqa: PLC0415

    settings_class = find_kind(kind)
    try:
        return make_settings(settings_class, given)
    except SettingsError as error:
        known = ", ".join(f"{item.name}={item.default}" for item in describe_settings(settings_class))
        raise SettingsError(f"{error} ({kind} has {known})") from error


def _check_together(synthesis: Synthesis, kind: str, variants: int) -> None:
    if kind == "frames" and (variants > 1 or synthesis.size is not None or synthesis.encoding != "linear"):
        raise UsageError(
            "frames are what they are: --variants, --size and --encoding are for photos (see --set curve=)"
        )


def _find_sources(
    inputs: Sequence[str], kind: str, output: Path, *, recursive: bool
) -> tuple[dict[Path, Path], list[Failure]]:
    """What to blur by the place of its outputs, and what cannot be used."""
    if "-" in inputs:
        raise UsageError("photos to blur come from files; a pipe has no name for its pair")
    if any(is_store(name) for name in inputs):
        raise UsageError("photos to blur are files of this machine, and a store is named")
    if kind == "frames":
        paths = [Path(name) for name in inputs]
        # resolved: a folder has a name of its own also where it was given as "."
        found = [(path, Path(path.resolve().stem)) for path in paths if path.exists()]
        failures = [Failure(str(path), "does not exist") for path in paths if not path.exists()]
    else:
        seen = list(find_inputs(inputs, recursive=recursive, avoid=frozenset({output.resolve()})))
        photos = [item for item in seen if isinstance(item, Found)]
        found = [(item.path, item.place.with_suffix("")) for item in photos if isinstance(item.path, Path)]
        failures = [item for item in seen if isinstance(item, Failure)]
    sources: dict[Path, Path] = {}
    for path, place in found:
        other = sources.setdefault(place, path)
        if other is not path:
            raise UsageError(f"{show_name(other)} and {show_name(path)} would both be written to {show_name(place)}")
    if not sources and not failures:
        raise UsageError("there are no photos in these folders")
    return sources, failures


def _check_output(output: Path, inputs: Iterable[Path], *, overwrite: bool) -> None:
    if output.exists() and not output.is_dir():
        raise OutputError("the output is a file, and pairs need a folder")
    written = [(output / part).resolve() for part in ("blurry", "sharp")]
    for path in inputs:
        if any(path.resolve().is_relative_to(folder) for folder in written):
            raise UsageError(f"the output would be written over {show_name(path)}; choose another folder")
    if (output / "manifest.jsonl").exists() and not overwrite:
        raise UsageError("the output holds a data set already; choose another folder or give --overwrite")
    make_folder(output)


def _write_all(sources: Sequence[BlurInput], options: PairOptions, jobs: int, *, quiet: bool) -> int:
    """Write everything and its manifest; returns how many sources failed."""
    from unblur.datasets.pair_files import FailedInput, write_manifest, write_pairs  # noqa: PLC0415 - torch

    start = time.perf_counter()
    lines: list[dict[str, Any]] = []
    failed = 0
    for source, answer in zip(sources, write_pairs(sources, options, jobs=jobs), strict=True):
        if isinstance(answer, FailedInput):
            failed += 1
            say(error_line(answer.reason, answer.source.path))
            continue
        lines += answer
        if not quiet:
            say(f"{show_name(source.path)} -> {', '.join(show_name(line['name']) for line in answer)}")
    write_manifest(options.out, lines, overwrite=options.overwrite)
    if not quiet:
        seconds = time.perf_counter() - start
        say(f"{len(lines)} pairs, {failed} failed, {len(lines) / seconds:.1f} pairs a second")
    return failed
