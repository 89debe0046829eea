"""Methods that find one kernel for the photo, put together from parts: an estimator, a solver, perhaps a refiner."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor

from unblur.blur.kernels import fit_box
from unblur.blur.poses import PoseBlur
from unblur.images.jpeg_traces import estimate_jpeg_coarseness
from unblur.images.large import Image, LargePhoto
from unblur.images.tensors import brightness, fill_unknown
from unblur.methods.base import BlurSoFar, Restoration, Step, StepHook, Traits, ignore_step, steps_of_photo
from unblur.methods.by_place import make_by_place
from unblur.methods.options import BlurEncoding, Encoding, RestoreOptions
from unblur.methods.overlays import find_frame_alone, find_overlay
from unblur.methods.preview import sharpen_preview
from unblur.methods.reduced_size import Size, enlarge_kernel, options_at, size_of, steps_at
from unblur.methods.refiners import load_refiner, refine
from unblur.methods.transforms import Shrink
from unblur.solvers.names import DEFAULT_SOLVER
from unblur.solvers.photo import choose_encoding, restore_large_with_kernel, restore_with_kernel

__all__ = ["BlurEstimate", "Improve", "KernelMethod", "Reduced", "Solving", "join_answers", "known_pixels"]

Solve = Callable[[], Tensor]
Improve = Callable[[Tensor, Tensor, BlurEncoding, Tensor, "Tensor | None"], Tensor]


class Reduced(NamedTuple):
    """A size below the photo's own at which it is restored.

    Attributes:
        size: The size.
        kernel: The kernel in pixels there.
    """

    size: Size
    kernel: Tensor


@dataclass(frozen=True)
class BlurEstimate:
    """The estimate for one photo.

    Attributes:
        kernel: `(1, 1, kH, kW)`, odd sizes, sum 1; None: there is none.
        encoding: Where it blurs; auto: where it explains the photo better.
        reduced: The size at which a large photo is restored; what changes there is added to it. None: its own.
        refusal: Why the photo is to be returned as it is; empty: it is restored.
        restorer: Restores the photo without a kernel, given the photo and a hook; None: see `refusal` and `kernel`.
        finish: Makes the image of the estimator's own knowledge and, where it calls for it, the solver's; None: the
            image is the solver's.
        poses: The blur of a camera that turned, in pixels of the size at which the photo is restored; None: the kernel
            is the same everywhere.
        improve: Makes the solver's image better: called with the photo, the kernel, the encoding, that image and where
            the photo counts (see `known_pixels`); None: it stays.
        share: Of that image in what is returned, from 0 to 1; the rest is the photo.
        looks_sharp: Why there is no kernel: the photo looks sharp.
        sureness: Larger for a kernel that is surer; compares photos of one scene, on a scale of the method's own.
        history: See `Restoration`.
        warnings: See `Restoration`.
        facts: See `Restoration`.
    """

    kernel: Tensor | None
    encoding: Encoding = "auto"
    reduced: Reduced | None = None
    poses: PoseBlur | None = None
    refusal: str = ""
    restorer: Callable[[Tensor, StepHook], Tensor] | None = None
    finish: Callable[[Solve], Tensor] | None = None
    improve: Improve | None = None
    share: float = 1.0
    looks_sharp: bool = False
    sureness: float = 0.0
    history: dict[str, list[float]] = field(default_factory=dict[str, list[float]])
    warnings: tuple[str, ...] = ()
    facts: dict[str, Any] = field(default_factory=dict[str, Any])

    def found_at(self, size: Size, photo: Size) -> BlurEstimate:
        """The estimate for a photo of this size, where all of it was found at another one, at which it is restored."""
        if size == photo or self.kernel is None:
            return self
        return replace(self, kernel=enlarge_kernel(self.kernel, size, photo), reduced=Reduced(size, self.kernel))


class Solving(NamedTuple):
    """The solver that a method takes where the caller names none.

    Attributes:
        solver: A name of `SOLVERS`.
        smoothness: 1 suits the noise of the photo; higher is smoother.
        quick: Whether a rough answer will do where light was clipped.
    """

    solver: str = DEFAULT_SOLVER
    smoothness: float = 1.0
    quick: bool = False


class KernelMethod(ABC):
    """A `Method` made of `estimate`; solver and refiner are the caller's choice."""

    traits: Traits
    search_share = 0.5
    """Share of the whole work that the estimate is taken to be, for progress."""
    leaves_out_overlays = False
    """Whether bars, frames and letters that are laid over a photo are found and left out."""

    @abstractmethod
    def estimate(self, blurry: Any, options: RestoreOptions, on_step: StepHook = ignore_step) -> BlurEstimate:
        """The kernel of one photo.

        Args:
            blurry: `(1, C, H, W)` in [0, 1], sRGB-encoded: a tensor, or a `LargePhoto` of a size that `takes_large`.
            options: What the caller asks; a known kernel is not among it.
            on_step: Progress from 0 to 1, and cancel.
        """

    def searches(self, options: RestoreOptions) -> bool:
        """Whether the estimate takes time: not where the caller knows the kernel."""
        return options.kernel is None

    def estimate_all(
        self, photos: Sequence[Any], options: RestoreOptions, on_step: StepHook = ignore_step
    ) -> list[BlurEstimate]:
        """The estimates of several photos, one by one; a kernel that the caller knows is taken as it is."""
        estimates: list[BlurEstimate] = []
        for photo in photos:
            known = options.kernel_for(photo)
            if known is not None:
                estimates.append(BlurEstimate(known, options.encoding))
            else:
                hook = steps_of_photo(on_step, len(estimates), len(photos), phase=(0.0, self.search_share))
                estimates.append(self.estimate(photo, options, _with_preview(hook, photo)))
        return estimates

    def solving(self, options: RestoreOptions) -> Solving:
        """The method's own solver, for such options."""
        del options
        return Solving()

    def restore(self, blurry: Tensor, options: RestoreOptions, on_step: StepHook = ignore_step) -> Restoration[Tensor]:
        """See `Method.restore`; each photo of a batch has its own kernel.

        Where the method leaves out what is laid over a photo, that is returned as it was.
        """
        if not self.leaves_out_overlays:
            return self._restore_batch(blurry, options, on_step)
        photos = blurry.split(1)
        hooks = [steps_of_photo(on_step, number, len(photos)) for number in range(len(photos))]
        return join_answers([self._restore_under(*one, options) for one in zip(photos, hooks, strict=True)])

    def _restore_under(self, blurry: Tensor, on_step: StepHook, options: RestoreOptions) -> Restoration[Tensor]:
        """The answer for one photo, whatever lies over it."""
        overlay = find_overlay(blurry, options)
        if overlay is None:
            return self._restore_batch(blurry, options, on_step)
        part = overlay.part
        answer = self._restore_batch(part.cut(blurry), overlay.options, part.show_whole(on_step, blurry))
        image = part.paste(answer.image, blurry)
        return replace(answer, image=image, facts={**answer.facts, "laid_over": overlay.description})

    def takes_large(self, photo: Size, options: RestoreOptions) -> bool:
        """Whether a photo of this size is restored part by part: where the estimate reads it so."""
        del photo, options
        return False

    def restore_large(
        self, photo: LargePhoto, options: RestoreOptions, on_step: StepHook = ignore_step
    ) -> Restoration[Any] | None:
        """See `LargeMethod.restore_large`: not a photo with more laid over it than borders."""
        if options.refine is not None or not self.takes_large(size_of(photo), options):
            return None
        if not self.leaves_out_overlays:
            return self._restore_part_by_part(photo, options, on_step)
        found = find_frame_alone(photo)
        if found is None:
            return None
        frame, description = found
        if frame == (0, 0, photo.shape[-1], photo.shape[-2]):
            return self._restore_part_by_part(photo, options, on_step)
        limited = replace(options, region=options.region and options.region.overlap(frame))
        answer = self._restore_part_by_part(photo.part(frame), limited, lambda step: on_step(replace(step, show=None)))
        image = photo.with_part(frame, answer.image)
        return replace(answer, image=image, facts={**answer.facts, "laid_over": description})

    def _restore_part_by_part(self, photo: LargePhoto, options: RestoreOptions, on_step: StepHook) -> Restoration[Any]:
        begin = self.search_share if self.searches(options) else 0.0
        [estimate] = self.estimate_all([photo], options, on_step)
        return self._finish(photo, estimate, options, steps_of_photo(on_step, 0, 1, phase=(begin, 1.0)))

    def _restore_batch(self, blurry: Tensor, options: RestoreOptions, on_step: StepHook) -> Restoration[Tensor]:
        photos = [photo if options.mask is None else fill_unknown(photo, options.mask) for photo in blurry.split(1)]
        begin = self.search_share if self.searches(options) else 0.0
        estimates = self.estimate_all(photos, options, on_step)
        answers: list[Restoration[Tensor]] = []
        for number, (photo, estimate) in enumerate(zip(photos, estimates, strict=True)):
            answer = self._finish(
                photo, estimate, options, steps_of_photo(on_step, number, len(photos), phase=(begin, 1.0))
            )
            answers.append(replace(answer, image=blurry[number : number + 1]) if answer.unchanged else answer)
        return join_answers(answers)

    def _finish(
        self, blurry: Any, estimate: BlurEstimate, options: RestoreOptions, on_step: StepHook
    ) -> Restoration[Any]:
        """The photo, a tensor or a `LargePhoto`, without the blur that was found."""
        if estimate.restorer is not None:
            image = estimate.restorer(blurry, on_step)
            return Restoration(image=image, warnings=estimate.warnings, facts=estimate.facts)
        if estimate.refusal or estimate.kernel is None:
            on_step(Step(1.0, "no blur to remove"))
            refusal = (estimate.refusal,) if estimate.refusal else ()
            return Restoration(
                image=blurry,
                kernel=estimate.kernel,
                warnings=(*estimate.warnings, *refusal),
                facts=estimate.facts,
                unchanged=True,
            )
        if estimate.reduced is not None:
            return self._finish_reduced(blurry, estimate, estimate.reduced, options, on_step)
        kernel, encoding = estimate.kernel, _decide_encoding(blurry, estimate, options)
        # Tiles overlap, so a slow solver takes twice as long, and gains little where kernels are that inexact.
        own = self.solving(options) if estimate.poses is None else Solving(quick=True)
        chosen = own if options.solver is None else own._replace(solver=options.solver)

        blur = BlurSoFar(kernel, 1.0, encoding)
        on_step(Step(0.0, "restoring the photo", partial(sharpen_preview, blurry, blur), blur))

        def report(share: float) -> None:
            on_step(Step(share, "restoring the photo"))

        given: dict[str, Any] = {**chosen._asdict(), "encoding": encoding}
        facts = {**estimate.facts, "encoding": encoding, "solver": chosen.solver}
        if isinstance(blurry, LargePhoto):
            strips = restore_large_with_kernel(blurry, kernel, **given, on_progress=report)
            return Restoration(strips, kernel, history=estimate.history, warnings=estimate.warnings, facts=facts)

        def make(
            photo: Tensor, its_kernel: Tensor, known: Tensor | None, on_progress: Callable[[float], None]
        ) -> Tensor:
            def solve() -> Tensor:
                return restore_with_kernel(photo, its_kernel, known=known, **given, on_progress=on_progress)

            image = solve() if estimate.finish is None or options.solver is not None else estimate.finish(solve)
            if options.solver is None:
                if estimate.improve is not None:
                    image = estimate.improve(photo, its_kernel, encoding, image, known)
                image = torch.lerp(photo, image, estimate.share)
            if options.refine is not None:
                image = refine(photo, its_kernel, image, encoding=encoding, refiner=load_refiner(options.refine))
            return image

        known = known_pixels(options, blurry)
        if estimate.poses is None:
            image = make(blurry, kernel, known, report)
        else:
            given["jpeg_coarseness"] = estimate_jpeg_coarseness(brightness(blurry))
            image = make_by_place(blurry, estimate.poses, make, known, report)
        if any(one is not None for one in (estimate.finish, estimate.improve, options.refine)):
            on_step(Step(1.0, "restored"))
        return Restoration(image, kernel, history=estimate.history, warnings=estimate.warnings, facts=facts)

    def _finish_reduced(
        self, blurry: Any, estimate: BlurEstimate, reduced: Reduced, options: RestoreOptions, on_step: StepHook
    ) -> Restoration[Any]:
        """As `_finish`, at a reduced size; the kernel that is returned is in pixels of the photo."""
        shrink = Shrink(blurry, reduced.size)
        small = shrink.forward(blurry).clamp(0, 1)
        there = replace(estimate, kernel=reduced.kernel, reduced=None)
        limited = options_at(reduced.size, size_of(blurry), options)
        answer = self._finish(small, there, limited, steps_at(reduced.size, size_of(blurry), on_step))
        facts = {**answer.facts, "restored_at": tuple(reduced.size)}
        return replace(answer, image=shrink.backward(answer.image), kernel=estimate.kernel, facts=facts)


def join_answers(answers: Sequence[Restoration[Tensor]]) -> Restoration[Tensor]:
    """The answers of single photos as that of a batch: kernels in boxes of one size, history of the first."""
    first = answers[0]
    if len(answers) == 1:
        return first
    kernels = [answer.kernel for answer in answers if answer.kernel is not None]
    fields = [answer.motion_field for answer in answers if answer.motion_field is not None]
    side = max((max(kernel.shape[-2:]) for kernel in kernels), default=0)
    return replace(
        first,
        image=torch.cat([answer.image for answer in answers]),
        unchanged=all(answer.unchanged for answer in answers),
        kernel=torch.cat([fit_box(kernel, side) for kernel in kernels]) if len(kernels) == len(answers) else None,
        motion_field=torch.cat(fields) if len(fields) == len(answers) else None,
        warnings=tuple(dict.fromkeys(warning for answer in answers for warning in answer.warnings)),
    )


def _with_preview(on_step: StepHook, blurry: Image) -> StepHook:
    """Steps that show the photo deconvolved with the kernel so far, where they have one."""

    def on_blur(step: Step) -> None:
        show = step.show if step.blur is None else partial(sharpen_preview, blurry, step.blur)
        on_step(replace(step, show=show))

    return on_blur


def known_pixels(options: RestoreOptions, like: Tensor) -> Tensor | None:
    """Where the photo counts, `(1, 1, H, W)` of 0 and 1, as a solver takes it; None: everywhere."""
    return None if options.mask is None else torch.from_numpy(options.mask.copy()).to(like)[None, None]


def _decide_encoding(blurry: Image, estimate: BlurEstimate, options: RestoreOptions) -> Literal["encoded", "linear"]:
    """The only place where the encoding of the final image is decided: the caller, the estimator, the photo."""
    for stated in (options.encoding, estimate.encoding):
        if stated != "auto":
            return stated
    return choose_encoding(blurry, estimate.kernel)  # pyright: ignore[reportArgumentType] - there is a kernel here
