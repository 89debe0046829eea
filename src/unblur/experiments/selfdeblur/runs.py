"""One run of SelfDeblur, followed from check to check, for the experiments with its weak supervision."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import fmean
from typing import Any

import torch
from matplotlib.axes import Axes
from torch import Tensor

from unblur.benchmarks.reference import Errors, reference_errors
from unblur.datasets.pairs import Pair
from unblur.experiments.selfdeblur.photos import Photo
from unblur.experiments.selfdeblur.settings import RunSettings
from unblur.methods.apply import restore_tensor
from unblur.methods.catalog import find_entry
from unblur.methods.optimisation.run import Schedule
from unblur.methods.optimisation.stopping import Rule
from unblur.methods.optimisation.teachers import Oracle, Teacher, load_teacher
from unblur.methods.options import RestoreOptions
from unblur.methods.selfdeblur.method import SelfDeblur, rule_for
from unblur.methods.selfdeblur.settings import SelfDeblurSettings
from unblur.metrics.kernel import kernel_rmse_upto_shift
from unblur.metrics.score import score

__all__ = ["Arm", "Run", "Watch", "describe", "draw_curve", "fit_photo", "run_arm", "teacher_for"]

_POINTS = 20
"""Places along a run at which its image is scored, unless more are asked for."""


@dataclass
class Watch:
    """A rule that does as another one does, and writes down what it sees.

    Attributes:
        rule: Whose decision holds.
        sharp: The truth.
        scored_every: Steps from one score to the next.
        others: Further rules, by name, which are asked but not obeyed.
        every: See `Rule`.
        mean: Running mean of the images, as the method answers with.
        psnr: Of that mean by the number of steps taken, dB.
        quantities: What the rules look at, check by check: (step, value).
        restarts: Steps from which another loss is minimised.
        stops: Steps after which the other rules would have ended the run.
    """

    rule: Rule
    sharp: Tensor
    scored_every: int
    others: dict[str, Rule] = field(default_factory=dict[str, Rule])
    mean: Tensor | None = None
    psnr: dict[int, float] = field(default_factory=dict[int, float])
    quantities: list[tuple[int, float]] = field(default_factory=list[tuple[int, float]])
    restarts: list[int] = field(default_factory=list[int])
    stops: dict[str, int] = field(default_factory=dict[str, int])
    every: int = field(init=False)

    def __post_init__(self) -> None:
        self.every = self.rule.every

    def check(self, step: int, quantity: float, image: Tensor) -> bool:
        """See `Rule.check`."""
        self._follow(step, image)
        self.quantities.append((step, quantity))
        for name, rule in self.others.items():
            if name not in self.stops and rule.check(step, quantity, image):
                self.stops[name] = step + 1
        return self.rule.check(step, quantity, image)

    def restart(self) -> None:
        """See `Rule.restart`."""
        self.restarts.append(self.quantities[-1][0] + 1 if self.quantities else 0)
        for rule in (self.rule, *self.others.values()):
            rule.restart()

    def _follow(self, step: int, image: Tensor) -> None:
        # The mean of the method takes in every step, this one every check: as many at once as lie between.
        kept = min(Schedule(1).averaging, (1 + step) / (10 + step)) ** self.every
        self.mean = image if self.mean is None else torch.lerp(self.mean, image, 1 - kept)
        if step % self.scored_every < self.every:
            self.psnr[step + 1] = _psnr(self.mean, self.sharp)


@dataclass(frozen=True)
class Run:
    """What came of one photo.

    Attributes:
        photo: It.
        image: Of the networks, `(1, 1, h, w)`.
        psnr: Of that, dB, protocol `shift`.
        ssim: The same.
        kernel_rmse: Of the kernel that was found, in a frame of 45x45 pixels at its best shift; nan where the truth or
            the answer has none.
        error_ratio: Squared error over that of the known-kernel solver with the true kernel; nan as above.
        spectral_ratio: The same with the largest singular value of the error, not squared.
        steps: That were taken.
        seconds: That it took.
        watch: What was seen on the way; None: there was no way (no blur was found).
    """

    photo: Photo
    image: Tensor
    psnr: float
    ssim: float
    kernel_rmse: float
    error_ratio: float
    spectral_ratio: float
    steps: int
    seconds: float
    watch: Watch | None

    @property
    def best(self) -> float:
        """PSNR at the best place along the run, dB: an oracle would have stopped there."""
        return max([self.psnr, *(self.watch.psnr.values() if self.watch else ())])


@dataclass(frozen=True)
class Arm:
    """The runs of one choice of settings."""

    runs: Sequence[Run]

    def mean(self, name: str) -> float:
        """Of one attribute over the runs."""
        return fmean(float(getattr(run, name)) for run in self.runs)

    @property
    def failures(self) -> int:
        """Runs that left the photo worse than it was."""
        return sum(run.psnr < run.photo.psnr for run in self.runs)


def fit_photo(
    photo: Photo,
    settings: RunSettings,
    teacher: Teacher | None,
    changes: Mapping[str, Any],
    *,
    seed: int = 0,
    points: int = _POINTS,
    others: Sequence[str] = (),
) -> Run:
    """Fit one photo, alone with the networks: no solver has a say in the answer.

    Args:
        photo: It.
        settings: Preset, steps and width.
        teacher: Who is asked; None: whom `changes` names.
        changes: Further settings of the method.
        seed: Of weights and noise.
        points: Places along the run at which the image is scored.
        others: Names of stopping rules that are asked as well.
    """
    numbers = SelfDeblurSettings(
        preset=settings.preset, steps=settings.steps, width=settings.width, output="networks", **changes
    )
    watches: list[Watch] = []

    def watch(numbers: SelfDeblurSettings, steps: int) -> Watch:
        asked = {name: rule_for(_with_rule(numbers, name), steps) for name in others}
        watches.append(Watch(rule_for(numbers, steps), photo.sharp, max(1, steps // points), asked))
        return watches[-1]

    method = SelfDeblur(numbers, teacher, watch)
    answer = restore_tensor(photo.blurry, method, RestoreOptions(encoding=photo.light, seed=seed))
    scores = score(answer.image, photo.sharp, "shift")
    reference = _reference(photo)
    return Run(
        photo,
        answer.image,
        float(scores.psnr),
        float(scores.ssim),
        _kernel_rmse(answer.kernel, photo.kernel),
        float(scores.squared_error) / reference.squared,
        float(scores.spectral_error) / reference.spectral,
        answer.facts.get("steps", 0),
        answer.seconds,
        watches[0] if watches else None,
    )


def run_arm(photos: Sequence[Photo], settings: RunSettings, teacher: str, changes: Mapping[str, Any]) -> Arm:
    """Fit every photo with every seed."""
    return Arm(
        [
            fit_photo(photo, settings, teacher_for(teacher, settings, photo), changes, seed=seed)
            for photo in photos
            for seed in range(settings.seeds)
        ]
    )


def teacher_for(name: str, settings: RunSettings, photo: Photo) -> Teacher:
    """The teacher of that name, which may be `oracle`."""
    if name == "oracle":
        return Oracle(photo.sharp)
    needs_weights = name != "identity" and (entry := find_entry(name)).takes_weights and not entry.weights
    return load_teacher(name, settings.weights if needs_weights else "")


def draw_curve(axes: Axes, arm: Arm, label: str) -> None:
    """Mean PSNR of the runs against the steps taken, as far as all of them went."""
    curves = [run.watch.psnr for run in arm.runs if run.watch is not None]
    shared = sorted(set[int].intersection(*(set(curve) for curve in curves))) if curves else []
    axes.plot(shared, [fmean(curve[step] for curve in curves) for step in shared], label=label)


def describe(settings: RunSettings, photos: Sequence[Photo], suite: str) -> str:
    """Which photos were fitted how, in a sentence for the notes."""
    size = f"{settings.crop}x{settings.crop} pixels" if settings.crop else "whole photos"
    changed = "".join(f", {name} {getattr(settings, name)}" for name in ("steps", "width") if getattr(settings, name))
    blurry = fmean(photo.psnr for photo in photos)
    return (
        f"{len(photos)} photos of {suite}, {size}, {settings.seeds} seed(s), preset {settings.preset}{changed}; "
        f"blurry: {blurry:.2f} dB."
    )


def _with_rule(numbers: SelfDeblurSettings, name: str) -> SelfDeblurSettings:
    return replace(numbers, stop=name)  # pyright: ignore[reportArgumentType] - checked by the settings


def _kernel_rmse(found: Tensor | None, true: Tensor | None) -> float:
    return math.nan if found is None or true is None else float(kernel_rmse_upto_shift(found, true))


def _reference(photo: Photo) -> Errors:
    """What the known-kernel solver leaves with the true kernel."""
    if photo.kernel is None:
        return Errors(math.nan, math.nan)
    return reference_errors("weak", Pair(photo.name, photo.blurry, photo.sharp, photo.kernel, photo.light), "shift")


def _psnr(image: Tensor, sharp: Tensor) -> float:
    return float(score(image.clamp(0, 1), sharp, "shift").psnr)
