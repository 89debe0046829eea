"""Synthetic pairs as files: `blurry/`, `sharp/`, `kernel/`, `motion_field/`, `trajectory/` and a manifest."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from unblur.datasets.blur_settings import FrameAverage, Synthesis, kind_of
from unblur.datasets.camera import simulate_camera
from unblur.datasets.folders import set_folder
from unblur.datasets.frames import AveragedFrames, exposures_of, read_frames
from unblur.datasets.image_files import as_kernel, read_tensor
from unblur.datasets.pairing import match_trees, read_pair
from unblur.datasets.pairs import Loader, Pair, PairedSet, PairEncoding
from unblur.datasets.synthesis import SyntheticPair, make_pair, seed_for
from unblur.errors import DataError, OutputError, UnblurError
from unblur.images.files import write_image
from unblur.images.kernels import write_kernel
from unblur.images.picture import Picture
from unblur.system.atomic import atomic_write, make_folder

__all__ = [
    "BlurInput",
    "FailedInput",
    "PairOptions",
    "kernel_synthesised",
    "write_manifest",
    "write_pairs",
    "written_set",
]

ManifestLine = dict[str, Any]
"""One line of the manifest: what was written, and everything needed to write it again."""


@dataclass(frozen=True)
class BlurInput:
    """One input.

    Attributes:
        path: A photo; for the blur `frames` a folder of frames or a video.
        place: Place of its outputs below each folder of the data set, without extension.
    """

    path: Path
    place: Path


@dataclass(frozen=True)
class PairOptions:
    """How pairs are made of every source.

    Attributes:
        synthesis: Kind of blur, sensor, encoding, size.
        out: Folder of the data set.
        seed: Seed of the run; every pair's own is drawn from it and the pair's name.
        variants: Number of pairs of each photo, each with another blur.
        overwrite: Replace existing files.
        make: Makes a pair of a photo, the synthesis, a seed and a name; see `make_pair`.
    """

    synthesis: Synthesis
    out: Path
    seed: int = 0
    variants: int = 1
    overwrite: bool = False
    make: Callable[[Tensor, Synthesis, int, str], SyntheticPair] = make_pair


@dataclass(frozen=True)
class FailedInput:
    """A source that could not be blurred, and why."""

    source: BlurInput
    reason: str


def write_pairs(
    sources: Sequence[BlurInput], options: PairOptions, *, jobs: int = 1
) -> Iterator[list[ManifestLine] | FailedInput]:
    """Make and write the pairs of all sources; one result for each, in their order.

    Args:
        sources: Inputs with different places.
        options: How pairs are made of them.
        jobs: Number of threads, each on one source; it changes no byte of the outputs.

    Raises:
        OutputError: The folder cannot be written to.
    """
    # More than one thread within an operation would compete with `jobs`, and could sum in another order.
    torch.set_num_threads(1)
    with ThreadPoolExecutor(jobs) as pool:
        try:
            yield from pool.map(partial(_write_source, options=options), sources)
        finally:
            pool.shutdown(cancel_futures=True)


def write_manifest(out: Path, lines: Iterable[ManifestLine], *, overwrite: bool = False) -> None:
    """Write `manifest.jsonl`: one JSON object a pair.

    Raises:
        OutputError: It cannot be written.
    """
    text = "".join(json.dumps(line, ensure_ascii=True) + "\n" for line in lines)
    atomic_write(out / "manifest.jsonl", text.encode(), overwrite=overwrite)


def written_set(folder: Path) -> PairedSet:
    """The pairs that `write_pairs` wrote, with their kernels or motion fields.

    Raises:
        DataError: The folder is missing or incomplete.
    """
    pairs: list[tuple[str, Loader]] = []
    encoding = _encoding_of(folder / "manifest.jsonl")
    for name, blurry, sharp in match_trees(folder / "blurry", folder / "sharp"):
        pairs.append((name, partial(_read_written, folder, name, blurry, sharp, encoding)))
    return PairedSet(pairs)


def kernel_synthesised(root: Path, split: str = "test") -> PairedSet:
    """The set of NeurMAP, as `unblur data make kernel-synthesised` writes it, in `neurmap/`.

    One that `unblur blur --kind motion-field` wrote there has no parts and is opened as a whole.
    """
    folder = set_folder(root, "neurmap", "NeurMAP")
    return written_set(folder if (folder / "blurry").is_dir() else folder / split)


def _write_source(source: BlurInput, options: PairOptions) -> list[ManifestLine] | FailedInput:
    try:
        if isinstance(options.synthesis.blur, FrameAverage):
            return [
                _write_exposure(source, exposure, options)
                for exposure in exposures_of(read_frames(source.path), options.synthesis.blur)
            ]
        photo = read_tensor(source.path)
        places = [source.place] if options.variants == 1 else _numbered(source.place, options.variants)
        return [_write_photo(source, place, photo, options) for place in places]
    except OutputError:
        raise
    except UnblurError as error:
        return FailedInput(source, str(error))


def _numbered(place: Path, count: int) -> list[Path]:
    return [place.with_name(f"{place.name}_{number:02d}") for number in range(1, count + 1)]


def _write_photo(source: BlurInput, place: Path, photo: Tensor, options: PairOptions) -> ManifestLine:
    seed = seed_for(options.seed, place.as_posix())
    return _write(source, place, options.make(photo, options.synthesis, seed, source.place.as_posix()), seed, options)


def _write_exposure(source: BlurInput, exposure: AveragedFrames, options: PairOptions) -> ManifestLine:
    place = source.place / exposure.name
    seed = seed_for(options.seed, place.as_posix())
    # frames are averaged by a curve of their own, so what follows works on stored values
    synthesis = Synthesis(options.synthesis.blur, options.synthesis.sensor, encoding="encoded")
    blurry, sharp = simulate_camera(exposure.blurry, exposure.sharp, synthesis, torch.Generator().manual_seed(seed))
    made = SyntheticPair(Pair(place.as_posix(), blurry, sharp))
    encoding = "encoded" if options.synthesis.blur.curve == "none" else "linear"
    return _write(source, place, made, seed, options) | {
        "encoding": encoding,
        "first": exposure.frames[0],
        "last": exposure.frames[1],
    }


def _write(source: BlurInput, place: Path, made: SyntheticPair, seed: int, options: PairOptions) -> ManifestLine:
    pair, overwrite = made.pair, options.overwrite
    line: ManifestLine = {"name": place.as_posix(), "input": source.path.name, "seed": seed, "run_seed": options.seed}
    for folder, image in (("blurry", pair.blurry), ("sharp", pair.sharp)):
        target = _target(options.out, folder, place, ".png")
        write_image(_picture(image), target, overwrite=overwrite)
        line[folder] = target.relative_to(options.out).as_posix()
    if pair.kernel is not None:
        target = _target(options.out, "kernel", place, ".png")
        write_kernel(target, pair.kernel[0, 0].numpy(), overwrite=overwrite)
        line["kernel"] = target.relative_to(options.out).as_posix()
    for folder, tensor in (("motion_field", pair.motion_field), ("trajectory", made.trajectory)):
        if tensor is not None:
            target = _target(options.out, folder, place, ".npy")
            atomic_write(target, _npy(tensor.squeeze(0).numpy()), overwrite=overwrite)
            line[folder] = target.relative_to(options.out).as_posix()
    return (
        line
        | {"size": [pair.blurry.shape[-1], pair.blurry.shape[-2]], "drawn": made.facts}
        | _settings_of(options.synthesis)
    )


def _settings_of(synthesis: Synthesis) -> ManifestLine:
    return {
        "kind": kind_of(synthesis.blur),
        "encoding": synthesis.encoding,
        "cut": synthesis.size,
        "blur": asdict(synthesis.blur),
        "sensor": asdict(synthesis.sensor),
    }


def _target(out: Path, folder: str, place: Path, suffix: str) -> Path:
    target = out / folder / place.with_name(place.name + suffix)
    make_folder(target.parent)
    return target


def _picture(image: Tensor) -> Picture:
    pixels = (image[0] * 255).round().byte().permute(1, 2, 0).numpy()
    return Picture(np.ascontiguousarray(pixels), "grey" if pixels.shape[2] == 1 else "rgb")


def _npy(values: NDArray[Any]) -> bytes:
    file = io.BytesIO()
    np.save(file, values.astype(np.float32), allow_pickle=False)
    return file.getvalue()


def _encoding_of(manifest: Path) -> PairEncoding:
    """Where the pairs were blurred; a set without a manifest does not say."""
    try:
        with manifest.open(encoding="ascii") as lines:
            encoding = json.loads(lines.readline())["encoding"]
    except FileNotFoundError:
        return "auto"
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"expected a JSON object with the encoding of the blur on line 1 of {str(manifest)!r}"
        ) from error
    return encoding if encoding in {"linear", "encoded"} else "auto"


def _read_written(folder: Path, name: str, blurry: Path, sharp: Path, encoding: PairEncoding) -> Pair:
    kernel, motion_field = (_array(folder / part / f"{name}.npy") for part in ("kernel", "motion_field"))
    pair = read_pair(name, blurry, sharp, encoding, None if kernel is None else as_kernel(kernel))
    return pair if motion_field is None else replace(pair, motion_field=torch.from_numpy(motion_field)[None].float())


def _array(path: Path) -> NDArray[np.float64] | None:
    if not path.is_file():
        return None
    try:
        with path.open("rb") as file:
            return np.asarray(np.load(file, allow_pickle=False), dtype=np.float64)
    except (OSError, EOFError, ValueError, TypeError) as error:
        raise DataError(f"expected a NumPy array at {str(path)!r}") from error
