"""The method `selfdeblur`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - the name that everyone gives it
from torch import Tensor

from unblur.errors import SettingsError
from unblur.methods.base import Restoration, Step, StepHook, Task, Traits
from unblur.methods.optimisation.checkpointing import Keeper, fingerprint
from unblur.methods.optimisation.problem import SingleProblem
from unblur.methods.optimisation.progress import Span, of_teacher, part_of, telling
from unblur.methods.optimisation.run import Optimised, Progress, ProgressOfAll, Schedule, optimise_jointly
from unblur.methods.optimisation.stopping import Never, Rule, choose_rule
from unblur.methods.optimisation.teachers import Teacher, found_kernel, load_teacher
from unblur.methods.optimisation.validation import refuse
from unblur.methods.region import find_informative
from unblur.methods.selfdeblur.fit_schedules import FitSchedule, choose_fit_schedule
from unblur.methods.selfdeblur.problem import BlurModel, PhotoFit, TaughtFit
from unblur.methods.selfdeblur.settings import SelfDeblurSettings
from unblur.methods.selfdeblur.stack import Stack, TaughtStack, largest_stack
from unblur.methods.selfdeblur.weak import WeakLosses
from unblur.solvers.photo import choose_light, restore_with_kernel
from unblur.system.allocator import keep_freed_memory
from unblur.system.precision import choose_precision

__all__ = ["SelfDeblur", "rule_for"]

_LUMA = (0.299, 0.587, 0.114)
_ROOM = 1
"""Pixels around the kernel that was found, for what was missed of it."""
_FAINTEST = 0.03
"""Pixels of a found kernel below this share of its brightest are the light that softmax leaves everywhere."""
_ASKING, _WARMING, _FITTING = 0.05, 0.1, 0.95
"""Shares of the work, for progress: after the teacher, after the warm start, after the fit."""


@dataclass(frozen=True)
class _TeacherResult:
    """What is known of a photo before its networks are fitted.

    Attributes:
        blur_model: How it came about.
        teacher: Who was asked; None: nobody.
        image: Of the teacher, colours and all.
        warnings: Of the teacher.
    """

    blur_model: BlurModel
    teacher: Teacher | None
    image: Tensor
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Case:
    """A photo that networks are to be fitted to.

    Attributes:
        blurry: It.
        part: Of it, that is learned on.
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
        return _brightness(self.teacher_result.image).clamp(0, 1)


class SelfDeblur:
    """Fits an image network and a kernel network to the brightness of one photo; no training, no weights.

    Args:
        settings: Its numbers.
        teacher: In place of the one that the settings name.
        make_rule: Makes the rule that may end a run, from the settings and the run's most steps; another one than
            `rule_for` sees every check, which is how experiments follow a run.

    Raises:
        CheckpointError: The teacher's weights cannot be used.
    """

    traits = Traits()

    def __init__(
        self,
        settings: SelfDeblurSettings,
        teacher: Teacher | None = None,
        make_rule: Callable[[SelfDeblurSettings, int], Rule] | None = None,
    ) -> None:
        self.settings = settings
        self._make_rule = make_rule or rule_for
        self._finder = load_teacher("map")
        self._solver = load_teacher("known-kernel")
        self._teacher = teacher or self._named_teacher()

    def restore(self, blurry: Tensor, task: Task) -> Restoration:
        """See `Method.restore`. A kernel in the task is used as it is.

        Photos of a batch are fitted side by side, as many at a time as `stack` says; each comes out as it would alone.

        Raises:
            SettingsError: A state is to be kept of several photos, or a teacher without gradient is to be learned from.
        """
        if blurry.device.type == "cpu":
            keep_freed_memory()
        photos = blurry.split(1)
        if self.settings.state and len(photos) > 1:
            raise SettingsError("state keeps the run of one photo; restore them one by one, or leave state empty")
        size = self._stack_size(blurry)
        answers: list[Restoration] = []
        for begin in range(0, len(photos), size):
            some = photos[begin : begin + size]
            on_step = part_of(task.on_step, begin, len(photos), number=len(some))
            answers += self._restore_some(some, replace(task, on_step=on_step))
        return answers[0] if len(answers) == 1 else _together(answers)

    def _stack_size(self, blurry: Tensor) -> int:
        """How many photos are fitted side by side."""
        width = choose_fit_schedule(self.settings, blurry.device, knows_kernel=False).width
        pixels = min(blurry.shape[-2] * blurry.shape[-1], self.settings.pixels)
        return self.settings.stack or largest_stack(blurry.device, pixels, width)

    def _restore_some(self, photos: Sequence[Tensor], task: Task) -> list[Restoration]:
        """All are asked about first; those that the networks can learn together are fitted together."""

        def part(phase: tuple[float, float], first: int, number: int = 1) -> Task:
            return replace(task, on_step=part_of(task.on_step, first, len(photos), number=number, phase=phase))

        asked = [self._prepare(photo, part((0.0, _ASKING), place)) for place, photo in enumerate(photos)]
        results: dict[int, Optimised] = {}
        for places in _alike(asked).values():
            cases = [case for place in places if isinstance(case := asked[place], _Case)]
            fitted = self._fit(cases, part((_ASKING, _FITTING), len(results), len(places)))
            results |= dict(zip(places, fitted, strict=True))
        answers = [
            case if isinstance(case, Restoration) else self._answer(case, results[place], part((_FITTING, 1.0), place))
            for place, case in enumerate(asked)
        ]
        if len(photos) > 1:
            task.on_step(Step(1.0, "restored"))
        return answers

    def _named_teacher(self) -> Teacher | None:
        name = self.settings.teacher
        if name in ("map", "known-kernel"):
            return self._finder if name == "map" else self._solver
        return None if name == "none" else load_teacher(name, self.settings.teacher_weights)

    def _prepare(self, blurry: Tensor, task: Task) -> _Case | Restoration:
        """What has to be known before the fit; the answer itself where there is nothing to fit."""
        refused = refuse(blurry, self.settings.smallest)
        if refused is not None:
            task.on_step(Step(1.0, "nothing to be found"))
            return refused
        place = self._choose_part(blurry, task)
        part = blurry[..., place[0] : place[0] + place[2], place[1] : place[1] + place[3]]
        if task.kernel is not None and part.shape != blurry.shape:
            answer = self._solver.restore(blurry, task)
            return replace(answer, warnings=(*answer.warnings, self._too_large))
        task.on_step(Step(0.0, "asking the teacher"))
        teacher_result = self._ask(part, task)
        if isinstance(teacher_result, Restoration):  # there is no blur to be found
            task.on_step(Step(1.0, "no blur to remove"))
            return replace(teacher_result, image=blurry)
        return _Case(blurry, part, teacher_result)

    @property
    def _too_large(self) -> str:
        return (
            f"above {self.settings.pixels} pixels a photo with a known kernel is deconvolved by the solver; "
            "--set pixels=N raises the limit"
        )

    def _choose_part(self, blurry: Tensor, task: Task) -> tuple[int, int, int, int]:
        """Top, left, height and width of the part that is learned on."""
        region = task.region
        if region is not None and min(region.width, region.height) >= self.settings.smallest:
            return region.y, region.x, region.height, region.width
        return find_informative(_brightness(blurry), self.settings.pixels, self.settings.smallest)

    def _ask(self, part: Tensor, task: Task) -> _TeacherResult | Restoration:
        """What the teacher and the search for the kernel tell; the answer itself if there is no blur."""
        asked = replace(task, region=None, strength=1.0, on_step=of_teacher(task.on_step, _ASKING))
        if task.kernel is not None:
            light = task.light if task.light != "auto" else choose_light(part, task.kernel)
            blur_model = BlurModel((task.kernel.shape[-2], task.kernel.shape[-1]), light, task.kernel, is_known=True)
            teacher = self._solver if self._teacher is self._finder else self._teacher
            taught = part if teacher is None else teacher.restore(part, asked).image
            return _TeacherResult(blur_model, teacher, taught)
        own = None if self._teacher is None else self._teacher.restore(part, asked)
        found = own if own is not None and found_kernel(own) else self._finder.restore(part, asked)
        if found.kernel is None or "light" not in found.facts:
            return found
        blur_model = _blur_model_of(found.kernel, found.facts["light"], task.kernel_size, self._is_warm(part))
        warnings = tuple(dict.fromkeys((*(() if own is None else own.warnings), *found.warnings)))
        return _TeacherResult(blur_model, self._teacher, part if own is None else own.image, warnings)

    def _is_warm(self, part: Tensor) -> bool:
        fit_schedule = choose_fit_schedule(self.settings, part.device, knows_kernel=False)
        return fit_schedule.warm_steps > 0

    def _fit(self, cases: Sequence[_Case], task: Task) -> list[Optimised]:
        """Fit the networks of photos that are alike; of several side by side."""
        settings, first = self.settings, cases[0]
        fit_schedule = choose_fit_schedule(
            settings, first.part.device, knows_kernel=first.teacher_result.blur_model.is_known
        )
        is_warm = first.teacher_result.teacher is not None and fit_schedule.warm_steps > 0
        fits = [self._make_fit(case, fit_schedule, task.seed, is_warm=is_warm) for case in cases]
        state = Path(settings.state) if settings.state else None
        keeper = (
            Keeper(state, fingerprint(first.part, settings, (task.seed, task.light, task.kernel_size)))
            if state
            else None
        )
        stack = SingleProblem(fits[0]) if len(fits) == 1 else Stack(fits)
        if is_warm and not (keeper and keeper.path.exists()):
            taught = [case.taught for case in cases]
            teacher_result = (
                TaughtStack(stack, taught) if isinstance(stack, Stack) else SingleProblem(TaughtFit(fits[0], taught[0]))
            )
            span = Span("learning from the teacher", fit_schedule.warm_steps, _ASKING, _WARMING)
            rules = [Never() for _ in fits]
            tell = telling(task.on_step, span)
            optimise_jointly(teacher_result, Schedule(fit_schedule.warm_steps), rules=rules, on_step=_of_first(tell))
        for fit, case in zip(fits, cases, strict=True):
            fit.weak = self._weak_losses(case)

        def show(image: Tensor) -> Tensor:
            return self._compose(first.part, first.teacher_result, image)

        span = Span("fitting", fit_schedule.schedule.steps, _WARMING, _FITTING)
        tell = telling(task.on_step, span, show if first.is_whole and len(fits) == 1 else None)
        rules = [self._make_rule(settings, fit_schedule.schedule.steps) for _ in fits]
        return optimise_jointly(stack, fit_schedule.schedule, rules=rules, keeper=keeper, on_step=_of_first(tell))

    def _make_fit(self, case: _Case, fit_schedule: FitSchedule, seed: int, *, is_warm: bool) -> PhotoFit:
        device, dtype = case.part.device, case.part.dtype
        return PhotoFit(
            _brightness(case.part),
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
        return WeakLosses(self.settings, teacher_result.teacher, _brightness(case.part), case.taught, border)

    def _answer(self, case: _Case, result: Optimised, task: Task) -> Restoration:
        blurry, teacher_result = case.blurry, case.teacher_result
        answers = getattr(result, self.settings.iterate)
        known = teacher_result.blur_model.kernel if teacher_result.blur_model.is_known else None
        kernel = _tidy(answers["kernel"]) if known is None else known
        output = self.settings.output if case.is_whole else "solver"
        images: list[Tensor] = []
        if output != "solver":
            images.append(self._compose(blurry, teacher_result, answers["image"]))
        if output != "networks":
            span = Span("restoring the photo", 1, _FITTING, 1.0)
            images.append(_solve(blurry, kernel, teacher_result.blur_model, task.on_step, span))
        task.on_step(Step(1.0, "restored"))
        return Restoration(
            image=torch.stack(images).mean(0),
            kernel=kernel,
            history=result.traces,
            warnings=teacher_result.warnings,
            facts={
                "light": teacher_result.blur_model.light,
                "steps": result.steps,
                "best_step": result.best_step,
                "teacher": "none" if teacher_result.teacher is None else teacher_result.teacher.name,
                "final": output,
            },
        )

    def _compose(self, blurry: Tensor, teacher_result: _TeacherResult, brightness: Tensor) -> Tensor:
        """The colours of the teacher or of the photo under another brightness.

        In YCbCr (BT.601) a change of Y with Cb and Cr left alone is the same change of red, green and blue.
        """
        base = teacher_result.image if self.settings.colours == "teacher" else blurry
        return base + (brightness - _brightness(base))


def _blur_model_of(kernel: Tensor, light: str, wished: int | None, is_warm: bool) -> BlurModel:
    """The kernel found, in a box with some room or of the size that the user wishes."""
    side = wished or max(kernel.shape[-2:]) + 2 * _ROOM
    boxed = _in_box(kernel, side)
    return BlurModel((side, side), "linear" if light == "linear" else "encoded", boxed if is_warm else None)


def _solve(blurry: Tensor, kernel: Tensor, blur_model: BlurModel, on_step: StepHook, span: Span) -> Tensor:
    """The whole photo by the known-kernel solver."""

    def tell(share: float) -> None:
        on_step(Step(span.begin + (span.end - span.begin) * share, span.stage))

    return restore_with_kernel(blurry, kernel, light=blur_model.light, on_progress=tell)[0]


def rule_for(settings: SelfDeblurSettings, steps: int) -> Rule:
    """The rule that the settings name, for a run of so many steps."""
    return choose_rule(settings.stop, steps, threshold=settings.threshold, patience=settings.patience)


def _alike(asked: Sequence[_Case | Restoration]) -> dict[tuple[Any, ...], list[int]]:
    """The places of photos that can be fitted together: of one size, with kernels of one size, in the same light."""
    places: dict[tuple[Any, ...], list[int]] = {}
    for place, case in enumerate(asked):
        if isinstance(case, _Case):
            blur_model = case.teacher_result.blur_model
            places.setdefault((case.part.shape, blur_model.size, blur_model.light), []).append(place)
    return places


def _of_first(tell: Progress) -> ProgressOfAll:
    """Of photos that are fitted together, the first one stands for all."""
    return lambda done, evaluations: tell(done, evaluations[0])


def _together(answers: list[Restoration]) -> Restoration:
    kernels = [answer.kernel for answer in answers if answer.kernel is not None]
    side = max((max(kernel.shape[-2:]) for kernel in kernels), default=0)
    return replace(
        answers[0],
        image=torch.cat([answer.image for answer in answers]),
        kernel=torch.cat([_in_box(kernel, side) for kernel in kernels]) if len(kernels) == len(answers) else None,
        warnings=tuple(dict.fromkeys(warning for answer in answers for warning in answer.warnings)),
    )


def _brightness(photo: Tensor) -> Tensor:
    if photo.shape[1] != len(_LUMA):
        return photo.mean(1, keepdim=True)
    return (photo * photo.new_tensor(_LUMA).view(1, -1, 1, 1)).sum(1, keepdim=True)


def _in_box(kernel: Tensor, side: int) -> Tensor:
    """The kernel with zeros around it, or its middle; sum 1."""
    rows, columns = ((side - size) // 2 for size in kernel.shape[-2:])
    boxed = F.pad(kernel, (columns, columns, rows, rows))
    return boxed / boxed.sum((-2, -1), keepdim=True)


def _tidy(kernel: Tensor) -> Tensor:
    kept = torch.where(kernel < _FAINTEST * kernel.amax(), 0.0, kernel)
    return kept / kept.sum((-2, -1), keepdim=True)
