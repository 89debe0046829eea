"""Several photos of one scene in, one sharp photo out, with a kernel for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - the name that everyone gives it
from torch import Tensor

from unblur.blur.kernels import offset_of_mass, trim_box
from unblur.errors import UsageError
from unblur.images.jpeg_traces import estimate_jpeg_coarseness
from unblur.images.tensors import brightness
from unblur.methods.base import Method, Restoration, Step, StepHook, TrainedMethod, Traits, ignore_step, steps_of_part
from unblur.methods.burst.alignment import CLIPPED, match_exposure, move
from unblur.methods.burst.joining import Member, is_blurred, join_photos, used_of
from unblur.methods.burst.second_fit import IMPROVED, Shots, fit_to_improved
from unblur.methods.burst.turns import estimate_turn, turn, turned_area, turned_border
from unblur.methods.kernel_method import BlurEstimate, Improve, KernelMethod
from unblur.methods.options import BlurEncoding, Encoding, RestoreOptions
from unblur.methods.reduced_size import Size, enlarge_kernel, options_at, size_of, steps_at
from unblur.methods.sizes import JUDGED_SIZES
from unblur.methods.transforms import resample
from unblur.solvers.photo import choose_encoding, restore_with_kernel

__all__ = ["Burst"]

_SEARCH, _JOIN = 0.6, 0.8
"""Shares of the work, for progress: until all photos are searched, and until their kernels go together."""
_NO_EFFECT = frozenset({"kernel", "refine", "region"})


class Burst:
    """A method for the first of several photos of one scene, which knows the others.

    Each photo is searched by itself; the answer to the surest one is the image with which kernels of all photos are
    found that go together. The answer has the place, size and exposure of the first photo that is used.

    Args:
        method: Finds the kernel of one photo; also the answer where no other photo fits.
        others: Further photos `(1, C, H, W)` in [0, 1], sRGB-encoded, with the channels of the first.

    Raises:
        UsageError: A method that finds no kernels, or no further photo.
    """

    def __init__(self, method: Method, others: Sequence[Tensor]) -> None:
        if not isinstance(method, KernelMethod):
            raise UsageError("a burst needs a method that finds a kernel, such as auto or map")
        if not others:
            raise UsageError("a burst is several photos of one scene, and here is one; name the others too")
        self.method, self.others = method, tuple(others)
        self.traits = Traits(uses=method.traits.uses - _NO_EFFECT)
        self.settings: Any = method.settings  # pyright: ignore[reportAttributeAccessIssue] - every method has some
        if isinstance(method, TrainedMethod):
            self.checkpoint = method.checkpoint

    def restore(self, blurry: Tensor, options: RestoreOptions, on_step: StepHook = ignore_step) -> Restoration[Tensor]:
        """See `Method.restore`.

        Raises:
            UsageError: No other photo has the size of the first.
        """
        others = {n: one.to(blurry) for n, one in enumerate(self.others, start=2) if one.shape == blurry.shape}
        if not others:
            size = f"{blurry.shape[-1]}x{blurry.shape[-2]}"
            raise UsageError(f"photos of a burst have one size and as many channels; no other photo has {size} pixels")
        shots = [_Shot(1, blurry, blurry), *(_Shot.turned_as(blurry, n, one) for n, one in others.items())]
        answer, _ = self._restore_all(shots, options.limited_to(self.traits.uses), on_step)
        sizes = [n for n in range(2, len(self.others) + 2) if n not in others]
        strangers = tuple(_left_out(n, "it has another size or other channels than the first") for n in sizes)
        kernels = dict(zip([one.number for one in shots], answer.burst_kernels, strict=False))
        return replace(
            answer,
            burst_kernels=tuple(kernels.get(n) for n in range(1, len(self.others) + 2)) if kernels else (),
            warnings=(*strangers, *answer.warnings),
        )

    def _restore_all(
        self, shots: Sequence[_Shot], options: RestoreOptions, on_step: StepHook
    ) -> tuple[Restoration[Tensor], int]:
        """The answer to photos of one size, and the place of the one that it shows."""
        photos = [one.photo for one in shots]

        def search_step(step: Step) -> None:
            on_step(Step(_SEARCH * step.fraction / self.method.search_share, step.stage))

        def join_share(share: float) -> None:
            on_step(Step(_SEARCH + (_JOIN - _SEARCH) * share, "joining the photos"))

        estimates = self.method.estimate_all(photos, options, search_step)
        sharp, start = _find_sharp(shots, estimates, options), _surest(estimates)
        estimate = None if start is None else estimates[start]
        if sharp is not None and (estimate is None or estimate.reduced is not None):
            return _take_sharp(shots[sharp]), sharp
        if start is None or estimate is None or estimate.kernel is None:
            alone = self._restore_alone(shots[0], options, on_step)
            return replace(alone, warnings=("no photo of the burst has a blur that is sure", *alone.warnings)), 0
        if estimate.reduced is not None:
            return self._restore_reduced(shots, estimate.reduced.size, options, on_step)
        encoding = _encoding_of(estimate.encoding, estimate.kernel, options, photos[start])
        members = join_photos(photos, start, estimate.kernel, encoding, join_share, border=_border_of(shots))
        # To turn a photo blurs it by itself.
        if sharp is not None and (shots[sharp].turn or not is_blurred(members[sharp])):
            return _take_sharp(shots[sharp]), sharp
        photo = size_of(photos[0])
        if len(used_of(members)) < 2 and photo.height * photo.width > JUDGED_SIZES.large:  # a long blur is not found
            half = Size(round(photo.height / 2), round(photo.width / 2))
            return self._restore_reduced(shots, half, options, on_step)
        if len(used_of(members)) < 2:
            place = 0 if _is_sure(estimates[0]) else start
            answer = self._restore_alone(shots[place], options, on_step)
        else:
            together = _Aligned.of(members, [one.turn for one in shots])
            if estimate.improve is not None:
                together = together.fitted_again(estimate.improve, encoding)
            answer = self._restore_together(together, estimate, encoding, options, on_step)
            answer, place = replace(answer, burst_kernels=together.in_order(members)), used_of(members)[0]
        both = list(zip(shots, members, strict=True))
        warnings = tuple(_left_out(shot.number, one.fault) for shot, one in both if one.fault)
        facts = {"photos": [{**shot.facts(), **one.facts()} for shot, one in both]}
        return replace(answer, warnings=(*warnings, *answer.warnings), facts={**answer.facts, **facts}), place

    def _restore_reduced(
        self, shots: Sequence[_Shot], size: Size, options: RestoreOptions, on_step: StepHook
    ) -> tuple[Restoration[Tensor], int]:
        """The answer to large photos at a reduced size; what changes there is added to the photo that it shows."""
        photo = size_of(shots[0].photo)
        small = [one.reduced(size) for one in shots]
        hook = steps_at(size, photo, steps_of_part(on_step, 0, 1, phase=(_SEARCH, 1.0)))
        answer, place = self._restore_all(small, options_at(size, photo, options), hook)
        if answer.image is small[place].taken:  # it is sharp
            return replace(answer, image=shots[place].taken), place
        shown = shots[place].photo
        image = shown if answer.unchanged else shown + resample(answer.image - small[place].photo, photo)

        def enlarged(kernel: Tensor | None) -> Tensor | None:
            return None if kernel is None else enlarge_kernel(kernel, size, photo)

        kernels = tuple(enlarged(kernel) for kernel in answer.burst_kernels)
        facts = {"restored_at": tuple(size), **answer.facts}
        return replace(answer, image=image, kernel=enlarged(answer.kernel), burst_kernels=kernels, facts=facts), place

    def _restore_alone(self, shot: _Shot, options: RestoreOptions, on_step: StepHook) -> Restoration[Tensor]:
        """The answer of the method to one photo, which is all that is left of the burst."""
        answer = self.method.restore(shot.photo, options, on_step)
        name = "the first photo" if shot.number == 1 else f"photo {shot.number} of the burst"
        unchanged = answer.unchanged and shot.number == 1
        return replace(answer, warnings=(f"{name} is restored alone", *answer.warnings), unchanged=unchanged)

    def _restore_together(
        self,
        together: _Aligned,
        estimate: BlurEstimate,
        encoding: BlurEncoding,
        options: RestoreOptions,
        on_step: StepHook,
    ) -> Restoration[Tensor]:
        """The answer to the photos that are used; `estimate` is that of the photo that the search began with."""
        own = self.method.solving(options)
        solver = options.solver or own.solver
        image = restore_with_kernel(
            together.photos,
            together.kernels,
            encoding=encoding,
            solver=solver,
            smoothness=own.smoothness,
            jpeg_coarseness=together.jpeg_coarseness,
            known=together.known,
            on_progress=lambda share: on_step(Step(_JOIN + (1 - _JOIN) * share, "restoring the photo")),
        )
        if estimate.improve is not None and options.solver is None:
            improved = estimate.improve(together.photos, together.kernels, encoding, image, together.known)
            image = torch.lerp(image, improved, IMPROVED)
        on_step(Step(1.0, "restored"))
        found = f"a kernel for each of {len(together.kernels)} photos, each the same everywhere: burst"
        return Restoration(
            image,
            together.kernels[:1],
            warnings=estimate.warnings,
            facts={"found": found, "encoding": encoding, "solver": solver},
        )


@dataclass(frozen=True)
class _Shot:
    """One photo of a burst.

    Attributes:
        number: In the burst, from 1.
        taken: As it was taken.
        photo: Turned so that it lies as the first does.
        turn: Degrees, counterclockwise, by which it was turned for that.
    """

    number: int
    taken: Tensor
    photo: Tensor
    turn: float = 0.0

    @classmethod
    def turned_as(cls, first: Tensor, number: int, taken: Tensor) -> _Shot:
        """A photo turned as the first of the burst."""
        degrees = estimate_turn(taken, first)
        return cls(number, taken, turn(taken, degrees), degrees)

    def reduced(self, size: Size) -> _Shot:
        """The same at another size."""
        taken = resample(self.taken, size).clamp(0, 1)
        photo = taken if self.photo is self.taken else resample(self.photo, size).clamp(0, 1)
        return replace(self, taken=taken, photo=photo)

    def facts(self) -> dict[str, Any]:
        """What the report says of it."""
        return {"photo": self.number, "turn": round(self.turn, 2)}


@dataclass(frozen=True)
class _Aligned:
    """The photos that are used, on the grid of the first of them.

    Attributes:
        photos: `(N, C, H, W)`, sRGB-encoded, of one exposure.
        known: `(N, 1, H, W)`: 1 where a photo counts, else 0.
        kernels: `(N, 1, k, k)`; the first is centred.
        jpeg_coarseness: See `estimate_jpeg_coarseness`; the largest.
    """

    photos: Tensor
    known: Tensor
    kernels: Tensor
    jpeg_coarseness: float

    @classmethod
    def of(cls, members: Sequence[Member], turns: Sequence[float]) -> _Aligned:
        """All that are used; turns are the degrees by which the photos were turned."""
        used = [members[number] for number in used_of(members)]
        first = used[0]
        moved = [_moved(members[number], turns[number], first) for number in used_of(members)]
        kernels = torch.cat([one.kernel for one in used if one.kernel is not None])
        return cls(
            torch.cat([photo for photo, _ in moved]),
            torch.cat([known for _, known in moved]),
            _centred(kernels),
            max(estimate_jpeg_coarseness(brightness(one.photo)) for one in used),
        )

    def fitted_again(self, improve: Improve, encoding: BlurEncoding) -> _Aligned:
        """With kernels fitted to the image that the method's refiner makes."""
        shots = Shots(self.photos, self.known, encoding, self.jpeg_coarseness)
        return replace(self, kernels=_centred(fit_to_improved(shots, self.kernels, improve)))

    def in_order(self, members: Sequence[Member]) -> tuple[Tensor | None, ...]:
        """The kernel of each photo, None for those that are left out."""
        kernels = iter(self.kernels.split(1))
        return tuple(None if one.fault else next(kernels) for one in members)


def _moved(member: Member, degrees: float, first: Member) -> tuple[Tensor, Tensor]:
    """A photo with the exposure and on the grid of another one, and where it is known there."""
    exposure = member.exposure / first.exposure
    shift = member.shift.against(first.shift)
    moved, known = move(match_exposure(member.photo, exposure), shift, first.photo)
    counts = turned_area(member.photo, degrees)
    if exposure != 1:  # what is clipped at another level would be a false measurement
        counts = counts * (member.photo.amax(1, keepdim=True) < CLIPPED)
    return moved, known * move(counts, shift, known)[0]


def _centred(kernels: Tensor) -> Tensor:
    """All kernels moved by the same whole pixels so that the first has its centre of mass in the middle.

    The box becomes larger by what would leave it, and is then cut to the smallest one for all.
    """
    right, down = offset_of_mass(kernels[:1])
    room = max(abs(right), abs(down))
    moved = torch.roll(F.pad(kernels, (room,) * 4), (-down, -right), (-2, -1))
    reach = trim_box(moved.sum(0, keepdim=True)).shape[-1] // 2
    middle = moved.shape[-1] // 2
    return moved[..., middle - reach : middle + reach + 1, middle - reach : middle + reach + 1]


def _surest(estimates: Sequence[BlurEstimate]) -> int | None:
    """The photo whose blur was found most surely; None: no blur is sure."""
    sure = [number for number, one in enumerate(estimates) if _is_sure(one)]
    return max(sure, key=lambda number: estimates[number].sureness, default=None)


def _is_sure(estimate: BlurEstimate) -> bool:
    return estimate.kernel is not None and not estimate.refusal


def _encoding_of(found: Encoding, kernel: Tensor, options: RestoreOptions, photo: Tensor) -> BlurEncoding:
    for stated in (options.encoding, found):
        if stated != "auto":
            return stated
    return choose_encoding(photo, kernel)


def _find_sharp(shots: Sequence[_Shot], estimates: Sequence[BlurEstimate], options: RestoreOptions) -> int | None:
    """The photo with the strongest edges, where that looks sharp and shows the scene of the first; else None."""
    edges = [float(torch.diff(brightness(one.taken), dim=-1).abs().mean()) for one in shots]
    strongest = edges.index(max(edges))
    if not estimates[strongest].looks_sharp:
        return None
    if strongest == 0:
        return 0
    encoding = "linear" if options.encoding == "auto" else options.encoding
    pair = [shots[strongest].photo, shots[0].photo]
    members = join_photos(pair, 0, _impulse(pair[0]), encoding, border=_border_of(shots))
    return strongest if len(used_of(members)) == 2 else None


def _border_of(shots: Sequence[_Shot]) -> tuple[int, int]:
    """See `turned_border`; of the photo that was turned most."""
    return turned_border(size_of(shots[0].photo), max(abs(one.turn) for one in shots))


def _impulse(like: Tensor) -> Tensor:
    kernel = like.new_zeros(1, 1, 3, 3)
    kernel[..., 1, 1] = 1
    return kernel


def _take_sharp(shot: _Shot) -> Restoration[Tensor]:
    return Restoration(
        shot.taken,
        warnings=(f"photo {shot.number} of the burst is sharp, so it is the answer",),
        facts={"found": f"photo {shot.number} is sharp: taken as it is"},
        unchanged=shot.number == 1,
    )


def _left_out(number: int, reason: str) -> str:
    return f"photo {number} of the burst is left out: {reason}"
