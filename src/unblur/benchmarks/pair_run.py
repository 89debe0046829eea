"""One image of a benchmark: read, restore through the single entry point, score, one row. Runs in a worker process."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from unblur.benchmarks.options import BenchmarkOptions
from unblur.benchmarks.reference import REFERENCE_METHOD, Errors, reference_errors
from unblur.benchmarks.rows import Row
from unblur.benchmarks.suites import open_suite
from unblur.datasets.pairs import Pair, PairedSet
from unblur.errors import UnblurError
from unblur.images.files import write_image
from unblur.images.kernels import write_kernel
from unblur.images.picture import Picture
from unblur.methods.apply import choose_device, restore_tensor
from unblur.methods.base import Method, Restoration
from unblur.methods.loading import load_method
from unblur.methods.options import RestoreOptions
from unblur.metrics.aligned_pair import AlignedPair
from unblur.metrics.alignment import align_pair
from unblur.metrics.catalog import measure
from unblur.metrics.kernel import kernel_rmse_upto_shift, kernel_similarity_upto_shift
from unblur.metrics.luma import luma_skimage
from unblur.metrics.motion import motion_field_error
from unblur.metrics.psnr import psnr
from unblur.metrics.score import Scores, score, score_aligned
from unblur.system.memory import peak_mb, restart_peak

__all__ = ["PairRun", "empty_row", "file_stem", "run_pair", "run_pair_in_worker"]

_EQUAL = 100.0
"""What stands for the PSNR of equal images, dB."""


@dataclass(frozen=True)
class PairRun:
    """One pair for one method."""

    options: BenchmarkOptions
    index: int


def empty_row(options: BenchmarkOptions, index: int, image: str, error: str = "") -> Row:
    """A row without measurements."""
    nothing = dict.fromkeys(options.metrics)
    return Row(options.suite, image, options.method, options.protocol, options.seed, index, error=error, extra=nothing)


def file_stem(index: int, name: str) -> str:
    """The name, without extension, of the files that are kept of a pair."""
    # names come from the user's list of pairs: the number keeps them apart, the rest is for people
    return f"{index:04d}-" + re.sub(r"[^A-Za-z0-9_.-]+", "_", name).strip(".")[-80:]


def run_pair_in_worker(_setup: None, run: PairRun, _send: Callable[[Any], None]) -> Row:
    """`run_pair` for `unblur.system.worker_pool`."""
    return run_pair(run.options, run.index)


def run_pair(options: BenchmarkOptions, index: int) -> Row:
    """Restore and score one pair; the row says what goes wrong."""
    pairs = _pairs(options.suite, options.data, options.pair_list)
    try:
        return _measure(options, pairs[index], index)
    except UnblurError as error:
        return empty_row(options, index, pairs.names[index], str(error))
    except Exception as error:  # one image must not end the run; its row says what happened
        return empty_row(options, index, pairs.names[index], f"{type(error).__name__}: {error}")


def _measure(options: BenchmarkOptions, pair: Pair, index: int) -> Row:
    pair = replace(pair, encoding=options.encoding or pair.encoding)
    pair = _without_colour(pair) if options.grey else pair
    kernel = pair.kernel if options.method == REFERENCE_METHOD else None
    method = _method(options.method, tuple(options.settings.items()), options.weights)
    restore_options = RestoreOptions(kernel=kernel, encoding=pair.encoding, seed=options.seed).limited_to(
        method.traits.uses
    )
    restart_peak()
    start = time.perf_counter()
    answer = restore_tensor(pair.blurry.to(choose_device(options.device)), method, restore_options)
    answer = replace(answer, image=answer.image.cpu())  # waits for the device
    seconds, peak = time.perf_counter() - start, peak_mb()
    _keep(options, pair, answer, index)
    aligned = align_pair(answer.image, pair.sharp, options.protocol, pair.views)
    scores = score_aligned(aligned, options.protocol)
    input_scores = score(pair.blurry, pair.sharp, options.protocol, pair.views)
    row = replace(
        empty_row(options, index, pair.name),
        weights=answer.facts.get("weights", ""),
        weights_sha256=answer.facts.get("weights_sha256", ""),
        threads=torch.get_num_threads(),
        psnr=_decibels(scores.psnr),
        ssim=float(scores.ssim),
        psnr_input=_decibels(input_scores.psnr),
        ssim_input=float(input_scores.ssim),
        gain=_decibels(scores.psnr) - _decibels(input_scores.psnr),
        shift_right=float(scores.shift[0, 0]),
        shift_down=float(scores.shift[0, 1]),
        change=_decibels(psnr(answer.image, pair.blurry, data_range=1.0)),
        seconds=seconds,
        peak_mb=peak,
        warnings="; ".join(answer.warnings),
    )
    row = _with_further_metrics(row, options, aligned, answer.image)
    if pair.motion_field is not None and answer.motion_field is not None:
        error = motion_field_error(answer.motion_field.cpu(), pair.motion_field, scale=1.0)
        row = replace(row, motion_error=float(error))
    return row if pair.kernel is None else _with_kernel_measures(row, options, pair, answer, scores)


def _decibels(psnr_of_one: Tensor) -> float:
    return min(float(psnr_of_one), _EQUAL)


def _without_colour(pair: Pair) -> Pair:
    views = tuple(luma_skimage(view) for view in pair.views)
    return replace(pair, blurry=luma_skimage(pair.blurry), sharp=luma_skimage(pair.sharp), views=views)


def _with_further_metrics(row: Row, options: BenchmarkOptions, aligned: AlignedPair, restored: Tensor) -> Row:
    values: dict[str, float | None] = {}
    for name in options.metrics:
        try:
            values[name] = float(measure(name, aligned, restored))
        except UnblurError as error:  # the method itself did not fail
            values[name] = None
            row = _warned(row, f"no {name}: {error}")
    return replace(row, extra=values)


def _with_kernel_measures(
    row: Row, options: BenchmarkOptions, pair: Pair, answer: Restoration[Tensor], scores: Scores
) -> Row:
    row = _with_error_ratios(row, options, pair, Errors(float(scores.squared_error), float(scores.spectral_error)))
    if answer.kernel is None or pair.kernel is None:
        return row
    found, true = answer.kernel.cpu(), pair.kernel
    return replace(
        row,
        kernel_similarity=float(kernel_similarity_upto_shift(found, true)),
        kernel_rmse=float(kernel_rmse_upto_shift(found, true)),
    )


def _with_error_ratios(row: Row, options: BenchmarkOptions, pair: Pair, errors: Errors) -> Row:
    is_reference = options.method == REFERENCE_METHOD and not options.settings
    try:
        reference = errors if is_reference else reference_errors(options.suite, pair, options.protocol)
    except UnblurError as error:  # the method itself did not fail
        return _warned(row, f"no error ratio: {error}")
    return replace(
        row,
        error_ratio=errors.squared / reference.squared,
        error_ratio_spectral=errors.spectral / reference.spectral,
    )


def _warned(row: Row, sentence: str) -> Row:
    return replace(row, warnings="; ".join(filter(None, [row.warnings, sentence])))


def _keep(options: BenchmarkOptions, pair: Pair, answer: Restoration[Tensor], index: int) -> None:
    """The kernel that was found, and where asked the images, and the pair once for all methods."""
    stem = file_stem(index, pair.name)
    if answer.kernel is not None:
        _keep_kernel(answer.kernel, _folder(options.out, "kernels", options.subfolder) / f"{stem}.png")
    if not options.save_images:
        return
    _keep_image(answer.image, _folder(options.out, "images", options.subfolder) / f"{stem}.png")
    _keep_image(pair.blurry, _folder(options.out, "pairs", "blurry") / f"{stem}.png")
    _keep_image(pair.sharp, _folder(options.out, "pairs", "sharp") / f"{stem}.png")
    if pair.kernel is not None:
        _keep_kernel(pair.kernel, _folder(options.out, "pairs", "kernels") / f"{stem}.png")


def _folder(*parts: str | Path) -> Path:
    folder = Path(*parts)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _keep_image(image: Tensor, place: Path) -> None:
    write_image(_picture(image), place, overwrite=True)


def _keep_kernel(kernel: Tensor, place: Path) -> None:
    write_kernel(place, kernel[0, 0].cpu().numpy(), overwrite=True)


def _picture(image: Tensor) -> Picture:
    pixels = (image[0].cpu().clamp(0, 1) * 255).round().byte().permute(1, 2, 0).numpy()
    return Picture(np.ascontiguousarray(pixels), "grey" if pixels.shape[-1] == 1 else "rgb")


@lru_cache(maxsize=4)
def _pairs(suite: str, data: Path | None, pair_list: Path | None) -> PairedSet:
    return open_suite(suite, data, pair_list)


@lru_cache(maxsize=4)
def _method(name: str, settings: tuple[tuple[str, Any], ...], weights: str | None) -> Method:
    return load_method(name, dict(settings), weights)
