"""The method `selfdeblur`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from unblur.blur.kernels import fit_box
from unblur.errors import SettingsError
from unblur.images.tensors import brightness
from unblur.methods.base import Step, StepHook, Traits, ignore_step, steps_of_part
from unblur.methods.kernel_method import BlurEstimate, KernelMethod, Solve, Solving
from unblur.methods.kernel_search.finder import KernelFinder
from unblur.methods.kernel_search.refit import refit_kernel
from unblur.methods.kernel_search.settings import SearchSettings
from unblur.methods.optimisation.checkpointing import RunFile, fingerprint
from unblur.methods.optimisation.problem import SingleProblem
from unblur.methods.optimisation.progress import Span, of_teacher, part_of, reporting
from unblur.methods.optimisation.run import (
    Optimised,
    Progress,
    ProgressOfAll,
    StepSchedule,
    mean_of,
    optimise_jointly,
)
from unblur.methods.optimisation.stopping import Never, Rule, choose_rule
from unblur.methods.optimisation.teachers import Teacher, found_kernel, load_teacher
from unblur.methods.optimisation.validation import find_refusal
from unblur.methods.options import RestoreOptions
from unblur.methods.reduced_size import options_at, size_of, steps_at
from unblur.methods.region import find_informative
from unblur.methods.selfdeblur.entry import SELFDEBLUR
from unblur.methods.selfdeblur.fit_schedules import FitSchedule, choose_fit_schedule
from unblur.methods.selfdeblur.problem import BlurModel, PhotoFit, TaughtFit
from unblur.methods.selfdeblur.settings import SelfDeblurSettings
from unblur.methods.selfdeblur.stack import Stack, TaughtStack, largest_stack
from unblur.methods.selfdeblur.weak import WeakLosses
from unblur.methods.sizes import MEGAPIXEL_SIZES, look_by_size, plan_looks
from unblur.methods.transforms import resample
from unblur.solvers.photo import choose_encoding
from unblur.system.allocator import keep_freed_memory
from unblur.system.precision import choose_precision

__all__ = ["SelfDeblur", "rule_for"]

_ROOM = 1
"""Pixels around the kernel that was found, for what was missed of it."""
_FAINTEST = 0.03
"""Pixels of a found kernel below this share of its brightest are the light that softmax leaves everywhere."""
_SMOOTHNESS = 0.5
"""Of the solver's image: the networks in the mixture smooth as well. On eleven photos of BSDS500 under shake with
little noise, three of them under a camera that turned, 0.15 dB more than with 1. A smaller share of the networks gives
hardly more."""
_NO_BLUR = "no blur was found; the photo is returned as it was"
_LOOKING = 0.1
"""Share of the estimate for a large photo in which its size is decided, for progress."""
_ASKING, _WARMING, _FITTING = 0.05, 0.1, 1.0
"""Shares of the estimate, for progress: after the teacher, after the warm start, after the fit."""


@dataclass(frozen=True)
class _TeacherResult:
    """What is known of a photo before its networks are fitted.

    Attributes:
        blur_model: How it came about.
        teacher: The teacher; None: there is none.
        image: Its image, in colour.
        warnings: Its warnings.
    """

    blur_model: BlurModel
    teacher: Teacher | None
    image: Tensor
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Case:
    """A photo that networks are to be fitted to.

    Attributes:
        blurry: The photo.
        part: The part of it that is learned on.
        teacher_result: What is known of that part.
    """

    blurry: Tensor
    part: Tensor
    teacher_result: _TeacherResult

    @property
    def is_whole(self) -> bool:
        """Whether the part is all of it."""
        return self.part.shape == self.blurry.shape

    @property
    def taught(self) -> Tensor:
        """Brightness of the teacher's image."""
        return brightness(self.teacher_result.image).clamp(0, 1)


class SelfDeblur(KernelMethod):
    """Fits an image network and a kernel network to the brightness of one photo; no training, no weights.

    Args:
        settings: Settings of the method.
        teacher: In place of the one that the settings name.
        make_rule: Makes the rule that may end a run, from the settings and the run's most steps; another one than
            `rule_for` sees every check, which is how experiments follow a run.

    Raises:
        CheckpointError: The teacher's weights cannot be used.
    """

    traits = Traits(uses=SELFDEBLUR.uses)
    search_share = 0.95

    def __init__(
        self,
        settings: SelfDeblurSettings,
        teacher: Teacher | None = None,
        make_rule: Callable[[SelfDeblurSettings, int], Rule] | None = None,
    ) -> None:
        self.settings = settings
        self._make_rule = make_rule or rule_for
        self._finder = load_teacher("map", settings={"hypotheses": 2, "rivals": True})
        self._solver = load_teacher("known-kernel")
        self._teacher = teacher or self._named_teacher()

    def solving(self, options: RestoreOptions) -> Solving:
        """See `KernelMethod.solving`: the best solver there is, whose time does not count beside the fit's."""
        del options
        return Solving("positive-light", _SMOOTHNESS)

    def searches(self, options: RestoreOptions) -> bool:
        """Always: with a known kernel the image is fitted all the same."""
        del options
        return True

    def estimate(self, blurry: Tensor, options: RestoreOptions, on_step: StepHook = ignore_step) -> BlurEstimate:
        """See `KernelMethod.estimate`."""
        return self.estimate_all([blurry], options, on_step)[0]

    def estimate_all(
        self, photos: Sequence[Tensor], options: RestoreOptions, on_step: StepHook = ignore_step
    ) -> list[BlurEstimate]:
        """See `KernelMethod.estimate_all`. A kernel that the caller gives is used as it is.

        Photos are fitted side by side, as many at a time as `stack` says; each comes out as it would alone.

        Raises:
            SettingsError: A state is to be kept of several photos, or a teacher without gradient is to be learned from.
        """
        if photos[0].device.type == "cpu":
            keep_freed_memory()
        if self.settings.state and len(photos) > 1:
            raise SettingsError("state keeps the run of one photo; restore them one by one, or leave state empty")
        size = self._stack_size(photos[0])
        hook = steps_of_part(on_step, 0, 1, phase=(0.0, self.search_share))
        estimates: list[BlurEstimate] = []
        for begin in range(0, len(photos), size):
            some = photos[begin : begin + size]
            step = part_of(hook, begin, len(photos), number=len(some))
            if options.kernel is None and len(plan_looks(size_of(photos[0]), MEGAPIXEL_SIZES, options)) > 1:
                estimates += [self._estimate_large(photo, options, step) for photo in some]
            else:
                estimates += self._estimate_some(some, options, step)
        return estimates

    def _estimate_large(self, blurry: Tensor, options: RestoreOptions, on_step: StepHook) -> BlurEstimate:
        """The estimate for a large photo, at the size at which a kernel is found by the search of `map`."""
        looking, fitting = (steps_of_part(on_step, 0, 1, phase=phase) for phase in ((0.0, _LOOKING), (_LOOKING, 1.0)))
        finder = KernelFinder(SearchSettings(), second_pass=True)
        _, size = look_by_size(blurry, MEGAPIXEL_SIZES, finder, options, looking)
        photo = size_of(blurry)
        small = blurry if size == photo else resample(blurry, size).clamp(0, 1)
        limited, hook = options_at(size, photo, options), steps_at(size, photo, fitting)
        return self._estimate_some([small], limited, hook)[0].found_at(size, photo)

    def _stack_size(self, blurry: Tensor) -> int:
        """How many photos are fitted side by side."""
        width = self._schedule(blurry).width
        pixels = min(blurry.shape[-2] * blurry.shape[-1], self.settings.pixels)
        return self.settings.stack or largest_stack(blurry.device, pixels, width)

    def _estimate_some(
        self, photos: Sequence[Tensor], options: RestoreOptions, on_step: StepHook
    ) -> list[BlurEstimate]:
        """Teachers come first; then photos that the networks can learn together are fitted together."""

        def part(phase: tuple[float, float], first: int, number: int = 1) -> StepHook:
            return part_of(on_step, first, len(photos), number=number, phase=phase)

        prepared = [self._prepare(photo, options, part((0.0, _ASKING), place)) for place, photo in enumerate(photos)]
        results: dict[int, Optimised] = {}
        for places in _alike(prepared).values():
            cases = [case for place in places if isinstance(case := prepared[place], _Case)]
            fitted = self._fit(cases, options, part((_ASKING, _FITTING), len(results), len(places)))
            results |= dict(zip(places, fitted, strict=True))
        return [
            case if isinstance(case, BlurEstimate) else self._conclude(case, results[place])
            for place, case in enumerate(prepared)
        ]

    def _named_teacher(self) -> Teacher | None:
        name = self.settings.teacher
        if name in ("map", "known-kernel"):
            return self._finder if name == "map" else self._solver
        return None if name == "none" else load_teacher(name, self.settings.teacher_weights)

    def _prepare(self, blurry: Tensor, options: RestoreOptions, on_step: StepHook) -> _Case | BlurEstimate:
        """What has to be known before the fit; the estimate itself where there is nothing to fit."""
        refusal = find_refusal(blurry, self.settings.smallest)
        if refusal:
            return BlurEstimate(None, refusal=refusal)
        known = options.kernel_for(blurry)
        top, left, height, width = self._choose_part(blurry, options)
        place = (..., slice(top, top + height), slice(left, left + width))
        part = blurry[place]
        if known is not None and part.shape != blurry.shape:
            return BlurEstimate(known, options.encoding, warnings=(self._too_large,))
        on_step(Step(0.0, "restoring with the teacher"))
        # All of a photo tells more of its blur than the part.
        asked = blurry if options.region is None else part
        teacher_result = self._ask(asked, options, on_step)
        if isinstance(teacher_result, BlurEstimate):  # there is no blur to be found
            return teacher_result
        if asked is blurry:
            teacher_result = replace(teacher_result, image=teacher_result.image[place])
        return _Case(blurry, part, teacher_result)

    @property
    def _too_large(self) -> str:
        return (
            f"above {self.settings.pixels} pixels a photo with a known kernel is deconvolved by the solver; "
            "--set pixels=N raises the limit"
        )

    def _choose_part(self, blurry: Tensor, options: RestoreOptions) -> tuple[int, int, int, int]:
        """Top, left, height and width of the part that is learned on."""
        region = options.region
        if region is not None and min(region.width, region.height) >= self.settings.smallest:
            return region.y, region.x, region.height, region.width
        return find_informative(brightness(blurry), self.settings.pixels, self.settings.smallest)

    def _ask(self, photo: Tensor, options: RestoreOptions, on_step: StepHook) -> _TeacherResult | BlurEstimate:
        """The teacher's answer and the blur model; the estimate itself if there is no blur."""
        asked, hook = options.for_teacher(), of_teacher(on_step, _ASKING)
        known = options.kernel_for(photo)
        if known is not None:
            encoding = options.encoding if options.encoding != "auto" else choose_encoding(photo, known)
            blur_model = BlurModel((known.shape[-2], known.shape[-1]), encoding, known, is_known=True)
            teacher = self._solver if self._teacher is self._finder else self._teacher
            taught = photo if teacher is None else teacher.restore(photo, asked, hook).image
            return _TeacherResult(blur_model, teacher, taught)
        own = None if self._teacher is None else self._teacher.restore(photo, asked, hook)
        found = own if own is not None and found_kernel(own) else self._finder.restore(photo, asked, hook)
        if found.kernel is None or not found_kernel(found):
            return BlurEstimate(found.kernel, warnings=found.warnings, refusal=_NO_BLUR if not found.warnings else "")
        blur_model = _blur_model_of(
            found.kernel, found.facts["encoding"], options.kernel_size, self._schedule(photo).is_warm
        )
        warnings = tuple(dict.fromkeys((*(() if own is None else own.warnings), *found.warnings)))
        return _TeacherResult(blur_model, self._teacher, photo if own is None else own.image, warnings)

    def _schedule(self, part: Tensor, *, knows_kernel: bool = False) -> FitSchedule:
        return choose_fit_schedule(self.settings, part.device, knows_kernel=knows_kernel)

    def _fit(self, cases: Sequence[_Case], options: RestoreOptions, on_step: StepHook) -> list[Optimised]:
        """Fit the networks of photos that are alike; of several side by side.

        Fits of one photo from other seeds follow one another, for on a processor they take longer side by side.
        """
        first = cases[0]
        schedule = self._schedule(first.part, knows_kernel=first.teacher_result.blur_model.is_known)
        runs = [
            self._fit_once(cases, schedule, number, options, steps_of_part(on_step, number, self.settings.fits))
            for number in range(self.settings.fits)
        ]
        return [mean_of(fits) for fits in zip(*runs, strict=True)]

    def _fit_once(
        self, cases: Sequence[_Case], fit_schedule: FitSchedule, number: int, options: RestoreOptions, on_step: StepHook
    ) -> list[Optimised]:
        """The fits of this number, of each photo."""
        settings, first = self.settings, cases[0]
        seed = options.seed * settings.fits + number
        is_warm = first.teacher_result.teacher is not None and fit_schedule.is_warm
        fits = [self._make_fit(case, fit_schedule, seed, is_warm=is_warm) for case in cases]
        run_file = self._run_file(first.part, number, (seed, options.encoding, options.kernel_size))
        stack = SingleProblem(fits[0]) if len(fits) == 1 else Stack(fits)
        which = f" {number + 1} of {settings.fits}" if settings.fits > 1 else ""
        if is_warm and fit_schedule.warm_steps and not (run_file and run_file.path.exists()):
            taught = [case.taught for case in cases]
            teacher_result = (
                TaughtStack(stack, taught) if isinstance(stack, Stack) else SingleProblem(TaughtFit(fits[0], taught[0]))
            )
            span = Span(f"learning from the teacher{which}", fit_schedule.warm_steps, _ASKING, _WARMING)
            rules = [Never() for _ in fits]
            report = reporting(on_step, span)
            optimise_jointly(
                teacher_result, StepSchedule(fit_schedule.warm_steps), rules=rules, on_step=_of_first(report)
            )
        for fit, case in zip(fits, cases, strict=True):
            fit.weak = self._weak_losses(case)

        def show(image: Tensor) -> Tensor:
            return self._compose(first.part, first.teacher_result, image)

        span = Span(f"fitting{which}", fit_schedule.schedule.steps, _WARMING, _FITTING)
        report = reporting(on_step, span, show if first.is_whole and len(fits) == 1 else None)
        rules = [self._make_rule(settings, fit_schedule.schedule.steps) for _ in fits]
        return optimise_jointly(stack, fit_schedule.schedule, rules=rules, run_file=run_file, on_step=_of_first(report))

    def _run_file(self, part: Tensor, number: int, given: tuple[Any, ...]) -> RunFile | None:
        """Where the fit of this number is kept. Those before it are short, and are made again when it goes on."""
        if not self.settings.state:
            return None
        path = Path(self.settings.state)
        path = path.with_name(f"{path.name}.{number}") if number else path
        return RunFile(path, fingerprint(part, self.settings, given))

    def _make_fit(self, case: _Case, fit_schedule: FitSchedule, seed: int, *, is_warm: bool) -> PhotoFit:
        device, dtype = case.part.device, case.part.dtype
        return PhotoFit(
            brightness(case.part),
            case.teacher_result.blur_model,
            fit_schedule,
            seed=seed,
            precision=dtype if dtype == torch.float64 else choose_precision(self.settings.precision, device),
            tv=self.settings.tv,
            guide=case.taught if is_warm else None,
        )

    def _weak_losses(self, case: _Case) -> WeakLosses | None:
        teacher_result = case.teacher_result
        if teacher_result.teacher is None:
            return None
        border = teacher_result.blur_model.size[0] // 2, teacher_result.blur_model.size[1] // 2
        return WeakLosses(self.settings, teacher_result.teacher, brightness(case.part), case.taught, border)

    def _conclude(self, case: _Case, result: Optimised) -> BlurEstimate:
        """The kernel of the networks, and how their image and the solver's make the answer."""
        blurry, teacher_result = case.blurry, case.teacher_result
        answers = getattr(result, self.settings.iterate)
        model = teacher_result.blur_model
        output = self.settings.output if case.is_whole else "solver"

        def finish(solve: Solve) -> Tensor:
            composed = self._compose(blurry, teacher_result, answers["image"])
            return composed if output == "networks" else torch.stack([composed, solve()]).mean(0)

        return BlurEstimate(
            model.kernel if model.is_known else self._final_kernel(case, answers),
            model.encoding,
            finish=None if output == "solver" else finish,
            history=result.traces,
            warnings=teacher_result.warnings,
            facts={
                "steps": result.steps,
                "fits": self.settings.fits,
                "best_step": result.best_step,
                "teacher": "none" if teacher_result.teacher is None else teacher_result.teacher.name,
                "final": output,
            },
        )

    def _final_kernel(self, case: _Case, answers: Mapping[str, Tensor]) -> Tensor:
        """That of the networks, or, if the schedule finds kernels anew, the one that suits the final image."""
        kernel = answers["kernel"]
        if self._schedule(case.part).refit_every:
            encoding = case.teacher_result.blur_model.encoding
            kernel = refit_kernel(brightness(case.part), answers["image"], kernel, encoding)
        return _tidy(kernel)

    def _compose(self, blurry: Tensor, teacher_result: _TeacherResult, fitted: Tensor) -> Tensor:
        """The colours of the teacher or of the photo under another brightness.

        In YCbCr (BT.601) a change of Y with Cb and Cr left alone is the same change of red, green and blue.
        """
        base = teacher_result.image if self.settings.colours == "teacher" else blurry
        return base + (fitted - brightness(base))


def _blur_model_of(kernel: Tensor, encoding: str, largest: int | None, is_warm: bool) -> BlurModel:
    """The kernel found, in a box with some room or of the size that the caller states."""
    side = largest or max(kernel.shape[-2:]) + 2 * _ROOM
    boxed = fit_box(kernel, side)
    return BlurModel((side, side), "linear" if encoding == "linear" else "encoded", boxed if is_warm else None)


def rule_for(settings: SelfDeblurSettings, steps: int) -> Rule:
    """The rule that the settings name, for a run of so many steps."""
    return choose_rule(settings.stop, steps, threshold=settings.threshold, patience=settings.patience)


def _alike(prepared: Sequence[_Case | BlurEstimate]) -> dict[tuple[Any, ...], list[int]]:
    """The places of photos that can be fitted together: of one size, with kernels of one size, in the same encoding."""
    places: dict[tuple[Any, ...], list[int]] = {}
    for place, case in enumerate(prepared):
        if isinstance(case, _Case):
            blur_model = case.teacher_result.blur_model
            places.setdefault((case.part.shape, blur_model.size, blur_model.encoding), []).append(place)
    return places


def _of_first(report: Progress) -> ProgressOfAll:
    """A hook that reports the first of the photos that are fitted together."""
    return lambda done, evaluations: report(done, evaluations[0])


def _tidy(kernel: Tensor) -> Tensor:
    kept = torch.where(kernel < _FAINTEST * kernel.amax(), 0.0, kernel)
    return kept / kept.sum((-2, -1), keepdim=True)
