"""Several photos of one scene together against the best of the answers to each of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from torch import Tensor

from unblur.datasets.folders import find_root
from unblur.datasets.photo_kinds.bursts import make_burst
from unblur.datasets.photo_kinds.kinds import MadePhoto, PhotoKind, photo_kinds
from unblur.datasets.photos import kodak
from unblur.datasets.synthesis import seed_for
from unblur.errors import SettingsError
from unblur.experiments.burst.settings import GainSettings
from unblur.experiments.figures import draw_bars, draw_images
from unblur.experiments.photos import evenly, middle_of
from unblur.experiments.result import ExperimentResult, Say, Table
from unblur.experiments.scores import psnr_of
from unblur.experiments.settings import split_names
from unblur.images.tensors import round_to_8_bits
from unblur.methods.apply import restore_tensor
from unblur.methods.base import Method
from unblur.methods.burst.method import Burst
from unblur.methods.loading import load_method
from unblur.methods.options import RestoreOptions

__all__ = ["run"]

_COLUMNS = ("photo", "kind", "best photo", "best single answer", "burst", "gain", "photos used", "seconds")


@dataclass(frozen=True)
class _Scored:
    """One burst; PSNR in dB, by the protocol `wide-shift`."""

    name: str
    kind: str
    before: float
    single: float
    together: float
    used: int
    seconds: float
    images: tuple[Tensor, ...]

    @property
    def gain(self) -> float:
        return self.together - self.single


def run(settings: GainSettings, say: Say) -> ExperimentResult:
    """Every burst restored photo by photo and together."""
    root, method = find_root(None), load_method(settings.method)
    kinds = _kinds(settings, photo_kinds(root))
    photos = kodak(root)
    scored: list[_Scored] = []
    for number, place in enumerate(evenly(len(photos), settings.bursts)):
        kind = list(kinds)[number % len(kinds)]
        name = photos.paths[place].stem
        photo = middle_of(photos[place], settings.crop)
        seed = seed_for(settings.seed, f"burst/{kind}/{name}")
        burst = make_burst(photo, kinds[kind], seed, count=settings.photos, shift=settings.shift)
        scored.append(_score(name, kind, burst, method))
        say(f"{name}, {kind}: {scored[-1].gain:+.2f} dB over the best single answer")
    gains = [one.gain for one in scored]
    middle = sorted(scored, key=lambda one: one.gain)[len(scored) // 2]
    titles = ("first photo", "its answer", "burst", "sharp")
    return ExperimentResult(
        title=f"Bursts of {settings.photos} photos against the best single answer",
        figures={
            "gains": draw_bars({f"{one.name}, {one.kind}": one.gain for one in scored}, "gain, dB"),
            "example": draw_images(list(zip(titles, middle.images, strict=True)), columns=4),
        },
        tables=(Table("bursts", "PSNR in dB, RGB, protocol wide-shift", _COLUMNS, _rows(scored)),),
        comparisons=(),
        notes=(
            f"Mean gain over the best single answer {fmean(gains):+.2f} dB, from {min(gains):+.2f} to "
            f"{max(gains):+.2f} dB.",
            f"Kodak photos, shifted by up to {settings.shift} pixels, blurred in linear light each by another path, "
            "ordinary sensor noise, three in four stored as JPEG; seeds are fixed.",
            "The best single answer is the best of all photos of the burst, which a user cannot know. Both are "
            f"restored by {settings.method} with its default settings. The example is the burst of median gain.",
        ),
    )


def _kinds(settings: GainSettings, known: Mapping[str, PhotoKind]) -> dict[str, PhotoKind]:
    names = split_names(settings.kinds)
    wrong = [name for name in names if name not in known]
    if wrong or not names:
        raise SettingsError(
            f"kinds takes kinds of the suite photos, not {settings.kinds!r}; choose from: {', '.join(known)}"
        )
    return {name: known[name] for name in names}


def _score(name: str, kind: str, burst: Sequence[MadePhoto], method: Method) -> _Scored:
    pairs, options = [one.pair for one in burst], [_options_for(one) for one in burst]
    alone = [restore_tensor(pair.blurry, method, own).image for pair, own in zip(pairs, options, strict=True)]
    joined = Burst(method, [pair.blurry for pair in pairs[1:]])
    answer = restore_tensor(pairs[0].blurry, joined, options[0])
    truths = [pair.sharp for pair in pairs]
    return _Scored(
        name,
        kind,
        before=max(_psnr(pair.blurry, pair.sharp) for pair in pairs),
        single=max(_psnr(image, sharp) for image, sharp in zip(alone, truths, strict=True)),
        together=_psnr(answer.image, truths[0]),
        used=sum(one["used"] for one in answer.facts.get("photos", [])),
        seconds=answer.seconds,
        images=(pairs[0].blurry, alone[0].clamp(0, 1), answer.image.clamp(0, 1), truths[0]),
    )


def _options_for(made: MadePhoto) -> RestoreOptions:
    """What `restore` takes for granted of a JPEG file."""
    return RestoreOptions(encoding="linear") if made.jpeg_quality else RestoreOptions()


def _psnr(image: Tensor, sharp: Tensor) -> float:
    return psnr_of(round_to_8_bits(image), sharp, "wide-shift")


def _rows(scored: Sequence[_Scored]) -> list[list[str | float]]:
    return [
        [one.name, one.kind, one.before, one.single, one.together, one.gain, one.used, one.seconds] for one in scored
    ]
