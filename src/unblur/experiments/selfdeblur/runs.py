"""One run of SelfDeblur with its scores along the run, for the experiments with its weak supervision."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import fmean
from typing import Any

import torch
from torch import Tensor

from unblur.benchmarks.reference import Errors, reference_errors
from unblur.datasets.pairs import Pair
from unblur.experiments.scores import psnr_of
from unblur.experiments.selfdeblur.photos import Photo
from unblur.experiments.selfdeblur.settings import FitSettings
from unblur.experiments.settings import split_pairs
from unblur.images.tensors import brightness
from unblur.methods.apply import restore_tensor
from unblur.methods.optimisation.run import StepSchedule
from unblur.methods.optimisation.stopping import Rule
from unblur.methods.optimisation.teachers import Oracle, Teacher, load_teacher
from unblur.methods.options import RestoreOptions
from unblur.methods.selfdeblur.method import SelfDeblur, rule_for
from unblur.methods.selfdeblur.settings import SelfDeblurSettings
from unblur.metrics.kernel import kernel_rmse_upto_shift
from unblur.metrics.score import score

__all__ = ["Arm", "Run", "Watch", "describe", "fit_photo", "mean_curve", "run_arm", "teacher_for"]

_POINTS = 20
"""Default number of steps of a run at which its image is scored."""


@dataclass
class Watch:
    """A stopping rule that decides as another one does, and records the run.

    Attributes:
        rule: Rule that decides.
        sharp: Brightness of the true image.
        scored_every: Steps from one score to the next.
        others: Further rules by name, which are evaluated and decide nothing.
        every: See `Rule`.
        mean: Running mean of the images, which the method returns.
        psnr: PSNR of that mean, a brightness, in dB, by the number of steps taken.
        quantities: Input of the rules at each check: (step, value).
        restarts: Steps from which another loss is minimised.
        stops: Steps after which the other rules would have ended the run, by name.
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
        # The method averages every step, this mean every check: one update stands for the steps between.
        kept = min(StepSchedule(1).averaging, (1 + step) / (10 + step)) ** self.every
        self.mean = image if self.mean is None else torch.lerp(self.mean, image, 1 - kept)
        if step % self.scored_every < self.every:
            self.psnr[step + 1] = psnr_of(self.mean, self.sharp, "shift")


@dataclass(frozen=True)
class Run:
    """The fit of one photo.

    Attributes:
        photo: The photo.
        image: Image of the networks, `(1, c, h, w)`.
        psnr: PSNR of the image in dB, protocol `shift`.
        ssim: SSIM of the image, same protocol.
        kernel_rmse: RMSE of the kernel in a frame of 45x45 pixels at its best shift; nan where there is no true or no
            estimated kernel.
        error_ratio: Squared error over that of the known-kernel solver with the true kernel; nan as above.
        spectral_ratio: The same with the largest singular value of the error, not squared.
        steps: Number of steps taken.
        seconds: Wall time of the fit.
        watch: Record of the run; None: there was no run, since no blur was found.
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
        """PSNR in dB at the best step of the run, where an oracle would have stopped."""
        return max([self.psnr, *(self.watch.psnr.values() if self.watch else ())])


@dataclass(frozen=True)
class Arm:
    """The runs of one choice of settings."""

    runs: Sequence[Run]

    def mean(self, name: str) -> float:
        """Mean of one attribute over the runs."""
        return fmean(float(getattr(run, name)) for run in self.runs)

    @property
    def failures(self) -> int:
        """Number of runs whose image is worse than the photo."""
        return sum(run.psnr < run.photo.psnr for run in self.runs)


def fit_photo(
    photo: Photo,
    settings: FitSettings,
    teacher: Teacher | None,
    changes: Mapping[str, Any],
    *,
    seed: int = 0,
    points: int = _POINTS,
    others: Sequence[str] = (),
) -> Run:
    """Fit one photo; the image is that of the networks, without a solver.

    Args:
        photo: The photo.
        settings: Preset, steps and width.
        teacher: The teacher; None: the one named in `changes`.
        changes: Further settings of the method.
        seed: Seed of weights and noise.
        points: Number of steps at which the image is scored.
        others: Names of stopping rules that are evaluated as well.
    """
    numbers = SelfDeblurSettings(
        preset=settings.preset, steps=settings.steps, width=settings.width, output="networks", **changes
    )
    watches: list[Watch] = []

    def watch(numbers: SelfDeblurSettings, steps: int) -> Watch:
        rules = {name: rule_for(_with_rule(numbers, name), steps) for name in others}
        watches.append(Watch(rule_for(numbers, steps), brightness(photo.sharp), max(1, steps // points), rules))
        return watches[-1]

    method = SelfDeblur(numbers, teacher, watch)
    answer = restore_tensor(photo.blurry, method, RestoreOptions(encoding=photo.encoding, seed=seed))
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


def run_arm(photos: Sequence[Photo], settings: FitSettings, teacher: str, changes: Mapping[str, Any]) -> Arm:
    """Fit every photo with every seed."""
    return Arm(
        [
            fit_photo(photo, settings, teacher_for(teacher, settings, photo), changes, seed=seed)
            for photo in photos
            for seed in range(settings.seeds)
        ]
    )


def teacher_for(name: str, settings: FitSettings, photo: Photo) -> Teacher:
    """The teacher of that name; `oracle` returns the true image."""
    if name == "oracle":
        return Oracle(photo.sharp)
    return load_teacher(name, split_pairs(settings.weights, "weights").get(name, ""))


def mean_curve(arm: Arm) -> dict[int, float]:
    """Mean PSNR of the runs in dB by the number of steps, as far as all of them went."""
    curves = [run.watch.psnr for run in arm.runs if run.watch is not None]
    shared = sorted(set[int].intersection(*(set(curve) for curve in curves))) if curves else []
    return {step: fmean(curve[step] for curve in curves) for step in shared}


def describe(settings: FitSettings, photos: Sequence[Photo], suite: str) -> str:
    """Photos and settings of the fits, as a sentence for the notes."""
    size = f"{settings.crop}x{settings.crop} pixels" if settings.crop else "whole photos"
    tones = "in colour" if settings.colour else "grey"
    changed = "".join(f", {name} {getattr(settings, name)}" for name in ("steps", "width") if getattr(settings, name))
    blurry = fmean(photo.psnr for photo in photos)
    return (
        f"{len(photos)} photos of {suite}, {tones}, {size}, {settings.seeds} seed(s), "
        f"preset {settings.preset}{changed}; blurry: {blurry:.2f} dB."
    )


def _with_rule(numbers: SelfDeblurSettings, name: str) -> SelfDeblurSettings:
    return replace(numbers, stop=name)  # pyright: ignore[reportArgumentType] - checked by the settings


def _kernel_rmse(found: Tensor | None, true: Tensor | None) -> float:
    return math.nan if found is None or true is None else float(kernel_rmse_upto_shift(found, true))


def _reference(photo: Photo) -> Errors:
    """Errors of the known-kernel solver with the true kernel."""
    if photo.kernel is None:
        return Errors(math.nan, math.nan)
    return reference_errors("weak", Pair(photo.name, photo.blurry, photo.sharp, photo.kernel, photo.encoding), "shift")
