"""A network on whole photos against the same network on tiles of them."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import fmean

import torch
from torch import Tensor
from torch.nn import functional

from unblur.datasets.blur_settings import LinearBlur, Sensor, Synthesis
from unblur.datasets.folders import find_root
from unblur.datasets.pairs import Pair
from unblur.datasets.photos import kodak
from unblur.datasets.synthesis import make_pair, seed_for
from unblur.experiments.figures import draw_bars
from unblur.experiments.networks.settings import TileSettings
from unblur.experiments.photos import evenly
from unblur.experiments.result import ExperimentResult, Say, Table
from unblur.experiments.scores import psnr_of
from unblur.methods.apply import restore_tensor
from unblur.methods.loading import load_method
from unblur.methods.options import RestoreOptions

__all__ = ["run"]

_SEED = 2029
_KERNEL = 31
_BLUR = LinearBlur(kernel_size=_KERNEL, length_min=10, length_max=25)
_NOISE = 0.005
_COLUMNS = ("photo", "blurry", "one pass", "tiles", "loss", "mean difference, of 255")


@dataclass(frozen=True)
class _Scored:
    """PSNR of one photo in dB, plain, and the mean absolute difference of both answers, of 255."""

    name: str
    before: float
    whole: float
    tiled: float
    difference: float

    @property
    def loss(self) -> float:
        return self.whole - self.tiled


def run(settings: TileSettings, say: Say) -> ExperimentResult:
    """Both ways on the same photos."""
    method = load_method(settings.method, weights=settings.weights or None)
    scored: list[_Scored] = []
    for pair in _pairs(settings):
        whole, tiled = (
            restore_tensor(pair.blurry, method, RestoreOptions(tile=tile)).image
            for tile in (settings.side, settings.tile or None)
        )
        scored.append(_score(pair, whole, tiled))
        say(f"{pair.name}: tiles lose {scored[-1].loss:.3f} dB")
    losses, differences = ([getattr(one, name) for one in scored] for name in ("loss", "difference"))
    return ExperimentResult(
        title=f"{settings.method} in tiles against one pass",
        figures={"loss": draw_bars({one.name: one.loss for one in scored}, "loss by tiles, dB")},
        tables=(
            Table(
                "tiles",
                "PSNR in dB, RGB, protocol plain",
                _COLUMNS,
                [[one.name, one.before, one.whole, one.tiled, one.loss, one.difference] for one in scored],
            ),
        ),
        comparisons=(),
        notes=(
            f"Mean loss {fmean(losses):.3f} dB, largest {max(losses):.3f} dB; mean difference {fmean(differences):.2f} "
            f"of 255, largest {max(differences):.2f}.",
            f"Tiles of {settings.tile or method.traits.tile_side} pixels with {method.traits.tile_halo} around them.",
            f"Kodak photos enlarged to {settings.side}x{settings.side} pixels, straight motion of 10 to 25 pixels in "
            f"linear light, noise {_NOISE}.",
        ),
    )


def _pairs(settings: TileSettings) -> list[Pair]:
    photos = kodak(find_root(None))
    synthesis = Synthesis(_BLUR, Sensor(noise_sigma=_NOISE), size=settings.side)
    names = [(photos.paths[place].stem, photos[place]) for place in evenly(len(photos), settings.photos)]
    least = settings.side + 2 * _KERNEL
    return [make_pair(_enlarge(image, least), synthesis, seed_for(_SEED, name), name).pair for name, image in names]


def _enlarge(image: Tensor, least: int) -> Tensor:
    """The photo with its smaller side of so many pixels; one that is larger is left alone."""
    factor = max(1.0, least / min(image.shape[-2:]))
    size = [round(side * factor) for side in image.shape[-2:]]
    return functional.interpolate(image, size, mode="bicubic").clamp(0, 1)


def _score(pair: Pair, whole: Tensor, tiled: Tensor) -> _Scored:
    before, one_pass, tiles = (psnr_of(image, pair.sharp) for image in (pair.blurry, whole, tiled))
    difference = 255 * float(torch.abs(whole - tiled).mean())
    return _Scored(pair.name, before, one_pass, tiles, difference)
