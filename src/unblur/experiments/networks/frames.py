"""A network on pairs made from the frames of a fast camera: real scenes and motion, a known middle frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from torch import Tensor

from unblur.datasets.frames import AveragedFrames
from unblur.experiments.figures import draw_bars, draw_images
from unblur.experiments.networks.settings import FrameSettings
from unblur.experiments.photos import averaged_frames
from unblur.experiments.result import ExperimentResult, Say, Table
from unblur.experiments.scores import psnr_of
from unblur.experiments.settings import split_numbers
from unblur.images.tensors import round_to_8_bits
from unblur.methods.apply import restore_tensor
from unblur.methods.loading import load_method

__all__ = ["run"]

_COLUMNS = ("middle frame", "frames", "blurry", "restored", "gain", "gain, shift", "seconds")


@dataclass(frozen=True)
class _Scored:
    """One pair and its scores in dB; `aligned` is the gain by the protocol `shift`."""

    exposure: AveragedFrames
    count: int
    restored: Tensor
    before: float
    after: float
    aligned: float
    seconds: float

    @property
    def gain(self) -> float:
        return self.after - self.before


def run(settings: FrameSettings, say: Say) -> ExperimentResult:
    """Every pair restored once and scored against its middle frame."""
    counts = [int(count) for count in split_numbers(settings.counts, "counts")]
    pairs = averaged_frames(settings.frames, counts, step=settings.step, crop=settings.crop)
    method = load_method(settings.method, weights=settings.weights or None)
    scored: list[_Scored] = []
    for count, exposure in zip(counts, pairs, strict=True):
        answer = restore_tensor(exposure.blurry, method)
        scored.append(_score(exposure, count, round_to_8_bits(answer.image), answer.seconds))
        say(f"{exposure.name}, {count} frames: {scored[-1].gain:+.2f} dB")
    middle = sorted(scored, key=lambda one: one.gain)[len(scored) // 2]
    size = "x".join(str(side) for side in reversed(scored[0].exposure.sharp.shape[-2:]))
    gains, aligned = [one.gain for one in scored], [one.aligned for one in scored]
    return ExperimentResult(
        title=f"{settings.method} on averaged frames",
        figures={
            "gains": draw_bars({f"{one.count} frames": one.gain for one in scored}, "gain, dB, protocol plain"),
            "example": draw_images(
                [("blurry", middle.exposure.blurry), ("restored", middle.restored), ("sharp", middle.exposure.sharp)],
                columns=3,
            ),
        },
        tables=(Table("frames", "PSNR in dB, RGB, protocol plain; gain also by shift", _COLUMNS, _rows(scored)),),
        comparisons=(),
        notes=(
            f"Mean gain {fmean(gains):.2f} dB plain, {fmean(aligned):.2f} dB shift; worst {min(gains):+.2f} dB plain.",
            f"{settings.frames}, {size} pixels, averaged with gamma 2.2 and rounded to 8 bits; the truth is the "
            "middle frame. Pairs overlap in time, and all show one scene.",
            "The example is the pair of median gain.",
        ),
    )


def _score(exposure: AveragedFrames, count: int, restored: Tensor, seconds: float) -> _Scored:
    before, after = (psnr_of(image, exposure.sharp) for image in (exposure.blurry, restored))
    ends = [psnr_of(image, exposure.sharp, "shift") for image in (exposure.blurry, restored)]
    return _Scored(exposure, count, restored, before, after, ends[1] - ends[0], seconds)


def _rows(scored: Sequence[_Scored]) -> list[list[str | float]]:
    return [[one.exposure.name, one.count, one.before, one.after, one.gain, one.aligned, one.seconds] for one in scored]
