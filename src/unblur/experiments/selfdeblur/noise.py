"""Effect of total variation on SelfDeblur under noise, by weight."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean

from matplotlib.figure import Figure

from unblur.experiments.comparison import Comparison
from unblur.experiments.figures import Line, Panel, draw_panels
from unblur.experiments.result import Cell, ExperimentResult, Say, Table
from unblur.experiments.selfdeblur.photos import Photo, synthetic_photos
from unblur.experiments.selfdeblur.runs import Arm, describe, run_arm
from unblur.experiments.selfdeblur.settings import NoiseSettings
from unblur.experiments.settings import split_numbers
from unblur.methods.selfdeblur.settings import SelfDeblurSettings

__all__ = ["run"]

_COLUMNS = ("noise", "blurry", "weight of the variation", "PSNR", "SSIM", "PSNR at the best step", "worse than blurry")

Arms = Mapping[tuple[float, float], Arm]


def run(settings: NoiseSettings, say: Say) -> ExperimentResult:
    """Every weight at every noise, on the same photos and shakes."""
    variations = split_numbers(settings.variations, "variations")
    noises = split_numbers(settings.noises, "noises")
    sets = {
        noise: synthetic_photos(settings.limit, settings.crop, noise=noise, data=settings.data, colour=settings.colour)
        for noise in noises
    }
    arms: dict[tuple[float, float], Arm] = {}
    for noise, photos in sets.items():
        for variation in variations:
            arms[noise, variation] = run_arm(photos, settings, settings.teacher, {"tv": variation})
            say(f"noise {noise:g}, variation {variation:g}: {arms[noise, variation].mean('psnr'):.2f} dB")
    return ExperimentResult(
        title="SelfDeblur, noise and total variation",
        figures={"noise": _draw(arms, noises)},
        tables=(Table("noise", "Means, protocol shift, dB", _COLUMNS, _rows(arms, sets)),),
        comparisons=tuple(_compare(noise, arms) for noise in noises),
        notes=(
            describe(settings, next(iter(sets.values())), f"synthetic (noise {noises[0]:g})"),
            f"Teacher: {settings.teacher}, weight {SelfDeblurSettings().weak:g} at first.",
        ),
    )


def _rows(arms: Arms, sets: Mapping[float, Sequence[Photo]]) -> list[list[Cell]]:
    rows: list[list[Cell]] = []
    for (noise, variation), arm in arms.items():
        blurry = fmean(photo.psnr for photo in sets[noise])
        means = (arm.mean(name) for name in ("psnr", "ssim", "best"))
        rows.append([noise, blurry, variation, *means, arm.failures])
    return rows


def _compare(noise: float, arms: Arms) -> Comparison:
    """The authors choose a weight proportional to the noise, about 1e-6 where there is almost none."""
    psnr = {variation: arm.mean("psnr") for (level, variation), arm in arms.items() if level == noise}
    best = max(psnr, key=lambda variation: psnr[variation])
    return Comparison(
        f"best weight of the variation at noise {noise:g}",
        "0 to 1e-6 (authors, almost no noise)" if noise < 0.01 else "grows with the noise (authors)",
        f"{best:g}, {psnr[best] - psnr.get(0.0, min(psnr.values())):+.2f} dB",
    )


def _draw(arms: Arms, noises: Sequence[float]) -> Figure:
    lines: list[Line] = []
    for noise in noises:
        points = {f"{variation:g}": arm.mean("psnr") for (level, variation), arm in arms.items() if level == noise}
        lines.append(Line(list(points), list(points.values()), f"noise {noise:g}"))
    return draw_panels([Panel(lines, "weight of the total variation", "PSNR in dB")])
