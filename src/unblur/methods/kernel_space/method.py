"""The method `kernel-space`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch
import torch.nn.functional as F  # noqa: N812 - the name that everyone gives it
from torch import Tensor

from unblur.blur.convolve import convolve
from unblur.blur.kernels import gaussian_kernel
from unblur.errors import SettingsError
from unblur.images.tensors import linear_to_srgb, srgb_to_linear
from unblur.losses.perceptual import FeatureDistance
from unblur.methods.base import Restoration, Step, StepHook, Traits, ignore_step
from unblur.methods.kernel_method import join_answers
from unblur.methods.kernel_space.entry import KERNEL_SPACE
from unblur.methods.kernel_space.fit_schedules import FitSchedule, choose_fit_schedule
from unblur.methods.kernel_space.loading import load_kernel_space, window_of
from unblur.methods.kernel_space.operations import extract_code
from unblur.methods.kernel_space.problem import BlurFit, Distance, Priors, Start, WarmFit, pixel_distance
from unblur.methods.kernel_space.settings import KernelSpaceSettings
from unblur.methods.kernel_space.windows import Window, blend, cut
from unblur.methods.optimisation.checkpointing import RunFile, fingerprint
from unblur.methods.optimisation.progress import Span, of_teacher, part_of, reporting
from unblur.methods.optimisation.run import Optimised, StepSchedule, optimise
from unblur.methods.optimisation.stopping import choose_rule
from unblur.methods.optimisation.teachers import found_kernel, load_teacher
from unblur.methods.optimisation.validation import find_refusal
from unblur.methods.options import RestoreOptions
from unblur.system.allocator import keep_freed_memory
from unblur.system.precision import choose_precision
from unblur.weights.checkpoint import Checkpoint

__all__ = ["KernelSpaceMethod"]

_OVERLAP = 4
"""Windows share at least the fourth part of a side."""
_ASKING, _WARMING, _FITTING = 0.05, 0.1, 1.0
"""Shares of the work, for progress: after the teacher's answer, after the warm start, after the fit."""
_COMMON_BLUR = 2.0
"""Deviation in pixels of the Gaussian whose code is the one to begin near without a teacher."""


class KernelSpaceMethod:
    """Fits an image and the code of its blur to one photo, under an operator that has learned to blur.

    Args:
        settings: Settings of the method.
        checkpoint: Weights of the operator, and of the extractor beside it.

    Raises:
        CheckpointError: Weights of another network, or of another than VGG-19 where features are wished for, or the
            teacher's cannot be used.
    """

    traits = Traits(uses=KERNEL_SPACE.uses, channels="rgb")

    def __init__(self, settings: KernelSpaceSettings, checkpoint: Checkpoint) -> None:
        self.settings, self.checkpoint = settings, checkpoint
        self.operator = load_kernel_space(checkpoint).to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue] - no stub
        self._features = FeatureDistance(Path(settings.features)) if settings.features else None
        is_named = settings.teacher not in ("auto", "none")
        self._teacher = load_teacher(settings.teacher, settings.teacher_weights) if is_named else None
        self._window = settings.window or window_of(checkpoint)

    def restore(self, blurry: Tensor, options: RestoreOptions, on_step: StepHook = ignore_step) -> Restoration[Tensor]:
        """See `Method.restore`; each photo of a batch is fitted alone, and encoding and kernel are for the teacher.

        Raises:
            SettingsError: A state is to be kept of several photos or windows.
        """
        if blurry.device.type == "cpu":
            keep_freed_memory()
        self.operator.to(blurry.device)
        photos = blurry.float().split(1)
        if self.settings.state and len(photos) > 1:
            raise SettingsError("state keeps the run of one photo; restore them one by one, or leave state empty")
        answers = [
            self._restore_one(photo, options, part_of(on_step, number, len(photos)))
            for number, photo in enumerate(photos)
        ]
        answer = join_answers(answers)
        return replace(answer, image=answer.image.to(blurry))

    def _restore_one(self, blurry: Tensor, options: RestoreOptions, on_step: StepHook) -> Restoration[Tensor]:
        refusal = find_refusal(blurry, self.settings.smallest)
        if refusal:
            on_step(Step(1.0, "nothing to be found"))
            return Restoration(image=blurry, warnings=(refusal,))
        small = self._shrunk(blurry)
        fit_schedule = choose_fit_schedule(self.settings)
        answer = self._ask(small, fit_schedule.teacher, options, on_step)
        if answer and fit_schedule.teacher == "map" and not found_kernel(answer):
            on_step(Step(1.0, "no blur to remove"))
            return replace(answer, image=blurry)
        # Such an operator decodes photos; encoded once more, they are blurred in the values that they were blurred in.
        again = self.operator.in_linear_light and _encoding_of(answer, options) == "encoded"
        encode, decode = (linear_to_srgb, srgb_to_linear) if again else (torch.clone, torch.clone)
        seen = encode(small)
        begun = encode(answer.image.clamp(0, 1).to(small)) if answer else None
        overlap = self._window // _OVERLAP
        windows = cut(small.shape[-2], small.shape[-1], self._window, overlap)
        if self.settings.state and len(windows) > 1:
            raise SettingsError("state keeps the run of one window; lower pixels, or leave state empty")
        results: list[Optimised] = []

        def grown(image: Tensor) -> Tensor:
            image = decode(image)
            return image if image.shape == blurry.shape else blurry + _enlarged(image - small, blurry)

        def restore_window(window: Window) -> Tensor:
            hook = part_of(on_step, len(results), len(windows), phase=(_ASKING, _FITTING))
            part, start = window.of(seen), None if begun is None else window.of(begun)
            fit = self._problem(part, self._start(part, start), fit_schedule, options.seed)
            result = self._fit(fit, fit_schedule, options, hook, grown if len(windows) == 1 else None)
            results.append(result)
            return getattr(result, self.settings.iterate)["image"]

        restored = blend(seen, windows, restore_window, overlap)
        on_step(Step(1.0, "restored"))
        is_whole = small.shape == blurry.shape
        return Restoration(
            image=grown(restored),
            history=_history_of(results),
            warnings=() if is_whole else (self._smaller_warning(small),),
            facts={"teacher": fit_schedule.teacher, **self._facts(small, results)},
        )

    def _shrunk(self, blurry: Tensor) -> Tensor:
        """The photo, or a smaller one of as many pixels as are allowed."""
        height, width = blurry.shape[-2:]
        scale = (self.settings.pixels / (height * width)) ** 0.5
        if scale >= 1:
            return blurry
        size = [max(round(side * scale), min(side, self.settings.smallest)) for side in (height, width)]
        return F.interpolate(blurry, size, mode="bilinear", antialias=True)

    def _smaller_warning(self, small: Tensor) -> str:
        height, width = small.shape[-2:]
        return (
            f"the photo was fitted at {width}x{height} pixels, and what is finer than that is as it was; "
            "--set pixels=N raises the limit, and the time"
        )

    def _ask(self, small: Tensor, name: str, options: RestoreOptions, on_step: StepHook) -> Restoration[Tensor] | None:
        """The teacher's answer; None: there is no teacher."""
        if name in ("none", "identity"):
            return None
        on_step(Step(0.0, "restoring with the teacher"))
        teacher = self._teacher or load_teacher(name)
        return teacher.restore(small, options.for_teacher(), of_teacher(on_step, _ASKING))

    def _start(self, part: Tensor, begun: Tensor | None) -> Start:
        """Without a teacher the photo, and the code between it and the photo blurred by a common blur."""
        if begun is not None:
            return Start(begun, extract_code(self.operator, begun, part))
        kernel = gaussian_kernel(_COMMON_BLUR).to(part)
        return Start(part, extract_code(self.operator, part, convolve(part, kernel, "reflect")))

    def _fit(
        self,
        fit: BlurFit,
        fit_schedule: FitSchedule,
        options: RestoreOptions,
        on_step: StepHook,
        show: Callable[[Tensor], Tensor] | None,
    ) -> Optimised:
        settings = self.settings
        decisive = (options.seed, options.encoding, options.kernel_size)
        run_file = (
            RunFile(Path(settings.state), fingerprint(fit.blurry, settings, decisive)) if settings.state else None
        )
        warming = fit_schedule.warming
        if warming and not (run_file and run_file.path.exists()):
            span = Span("learning to begin", warming, _ASKING, _WARMING)
            optimise(WarmFit(fit), StepSchedule(warming), on_step=reporting(on_step, span))
        steps = fit_schedule.schedule.steps
        span = Span("fitting", steps, _WARMING, _FITTING)
        rule = choose_rule(settings.stop, steps, threshold=0.0, patience=settings.patience)
        report = reporting(on_step, span, show)
        return optimise(fit, fit_schedule.schedule, rule=rule, run_file=run_file, on_step=report)

    def _problem(self, part: Tensor, start: Start, fit_schedule: FitSchedule, seed: int) -> BlurFit:
        settings = self.settings
        return BlurFit(
            self.operator,
            part,
            start,
            fit_schedule,
            seed=seed,
            precision=choose_precision(settings.precision, part.device),
            distance=self._distance(part.device),
            priors=Priors(settings.image, settings.code, fit_schedule.edges * settings.edges, settings.norm),
            in_turns=settings.turns == "alternating",
        )

    def _distance(self, device: torch.device) -> Distance:
        return pixel_distance if self._features is None else self._features.to(device)

    def _facts(self, small: Tensor, results: list[Optimised]) -> dict[str, object]:
        height, width = small.shape[-2:]
        codes = [getattr(result, self.settings.iterate)["code"] for result in results]
        return {
            "distance": "noVGG" if self._features is None else "VGG19",
            "fitted_size": f"{width}x{height}",
            "windows": len(results),
            "steps": sum(result.steps for result in results),
            "best_step": results[0].best_step,
            "code_norm": round(float(torch.stack([code.norm() for code in codes]).mean()), 3),
        }


def _encoding_of(answer: Restoration[Tensor] | None, options: RestoreOptions) -> object:
    """Where the photo was blurred, as the caller or the teacher says."""
    found = answer.facts.get("encoding") if answer else None
    return options.encoding if options.encoding != "auto" else found or "linear"


def _enlarged(change: Tensor, like: Tensor) -> Tensor:
    return F.interpolate(change, like.shape[-2:], mode="bicubic")


def _history_of(results: list[Optimised]) -> dict[str, list[float]]:
    """The numbers of every step; of several windows, one after the other."""
    return {name: [value for result in results for value in result.traces[name]] for name in results[0].traces}
