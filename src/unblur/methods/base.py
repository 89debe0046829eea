"""What a deblurring method is: what it is given, the answer it returns, and what it declares of itself.

What is the same for all methods (reading, colour channels, alpha, padding, tiles, clamping, devices) is done once in
`apply.py` and `pipeline.py`; a method sees a tensor and the caller's `RestoreOptions`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, Literal, Protocol, TypeVar, runtime_checkable

from unblur.methods.options import BlurEncoding, RestoreOptions

if TYPE_CHECKING:
    from torch import Tensor

    from unblur.images.large import LargePhoto
    from unblur.images.picture import Picture
    from unblur.weights.checkpoint import Checkpoint

__all__ = [
    "BlurSoFar",
    "ImageT",
    "LargeMethod",
    "Method",
    "PictureMethod",
    "Restoration",
    "Step",
    "StepHook",
    "TrainedMethod",
    "Traits",
    "ignore_step",
    "seconds_left",
    "steps_of_part",
    "steps_of_photo",
]

ImageT = TypeVar("ImageT")
_SPEED_IS_KNOWN = 0.05
"""Share of the work on a photo from which its speed is known; before that, it is mostly the start of a process."""


@dataclass(frozen=True)
class BlurSoFar:
    """The kernel that a search is at.

    Attributes:
        kernel: `(1, 1, k, k)`, sum 1, in pixels of the photo at the size of `scale`.
        scale: Share of the photo's sides at which it was found, above 0 and up to 1.
        encoding: Where it blurs.
    """

    kernel: Tensor
    scale: float
    encoding: BlurEncoding


@dataclass(frozen=True)
class Step:
    """How far a restoration is.

    Attributes:
        fraction: Share of the work that is done, 0 to 1, never falling.
        stage: What is being done now, a few words.
        show: Makes the image so far, where a method has one to show; it costs nothing unless it is called.
        blur: The kernel so far, at a step of a search that found a new one.
    """

    fraction: float
    stage: str
    show: Callable[[], Tensor] | None = None
    blur: BlurSoFar | None = None

    @cached_property
    def preview(self) -> Tensor | None:
        """The image so far `(B, C, h, w)`, of the photo's proportions and perhaps smaller; None: there is none."""
        return None if self.show is None else self.show()

    def with_preview(self, change: Callable[[Tensor], Tensor]) -> Step:
        """The same step, with a preview that is changed once somebody asks for it."""
        show = self.show
        return self if show is None else replace(self, show=lambda: change(show()))


StepHook = Callable[[Step], None]
"""Called at every step; raises `Cancelled` to stop the work."""


def ignore_step(step: Step) -> None:
    """The hook of a caller without interest in progress."""


def seconds_left(elapsed: float, fraction: float, photos: int = 1) -> float | None:
    """How long the rest of the work takes at the speed so far.

    Args:
        elapsed: Seconds since it began.
        fraction: Share of the work that is done, 0 to 1.
        photos: Number of photos that it consists of; of very many, one is enough to know the speed.

    Returns:
        Seconds; None: not known yet.
    """
    return None if fraction < min(_SPEED_IS_KNOWN, 1 / photos) else elapsed * (1 / fraction - 1)


def steps_of_part(on_step: StepHook, number: int, count: int, *, phase: tuple[float, float] = (0.0, 1.0)) -> StepHook:
    """A hook for one of several parts of the work on a photo, whose steps are passed on as steps of all.

    Args:
        on_step: Receives the steps of the whole work.
        number: Which part, from 0.
        count: Number of parts, of equal length.
        phase: Fractions of the whole work at which the first part begins and the last one ends.
    """
    begin, end = phase
    return lambda step: on_step(replace(step, fraction=begin + (end - begin) * (number + step.fraction) / count))


def steps_of_photo(on_step: StepHook, number: int, count: int, *, phase: tuple[float, float] = (0.0, 1.0)) -> StepHook:
    """The same for one of several photos; their images are left out, since one photo is no picture of the batch."""
    on_part = steps_of_part(on_step, number, count, phase=phase)
    return on_part if count == 1 else lambda step: on_part(replace(step, show=None))


@dataclass(frozen=True)
class Restoration(Generic[ImageT]):
    """A method's answer.

    Attributes:
        image: Sharp image. From a method: a tensor like its input; from `restore`: of the type that was given.
        kernel: The blur that was found `(B, 1, kH, kW)`, where the method finds one.
        motion_field: Displacement over the exposure `(B, 2, H, W)` in pixels (right, down), where it finds one.
        burst_kernels: Of a burst, the kernel `(1, 1, kH, kW)` of each photo in order; None: it was left out.
        history: Named series of numbers, such as a loss at each step.
        seconds: Wall time.
        warnings: Sentences for the user, such as a blur estimate that failed.
        facts: Further plain values for the report, such as the region that was used.
        unchanged: The image is the photo itself, because the method found nothing to do.
    """

    image: ImageT
    kernel: Tensor | None = None
    motion_field: Tensor | None = None
    burst_kernels: tuple[Tensor | None, ...] = ()
    history: dict[str, list[float]] = field(default_factory=dict[str, list[float]])
    seconds: float = 0.0
    warnings: tuple[str, ...] = ()
    facts: dict[str, Any] = field(default_factory=dict[str, Any])
    unchanged: bool = False


@dataclass(frozen=True)
class Traits:
    """What a method needs of the image it is given, and which options it uses.

    Attributes:
        uses: Names of the fields of `RestoreOptions` that change its answer, besides those that the entry point
            heeds for all methods. The entry point warns about others that are given.
        channels: `"any"`: any number of colour channels; `"rgb"`: three.
        size_multiple: Height and width must be multiples of this.
        tile_halo: None: the method takes a photo of any size and bounds its own memory. A number: the photo is cut
            into tiles that overlap by so many pixels.
        tile_side: Side of the tiles, where the user names none.
        scale_for: Share of its sides at which a photo `(B, C, H, W)` of the method's channels is restored, above 0 and
            up to 1; what the method changes there is added to the photo. A choice that takes time reports its steps as
            the beginning of the work on the photo. None: always at its own size.
        own_engine: It sees to the option `engine` itself, because the network is only a part of its work.
    """

    uses: frozenset[str] = frozenset()
    channels: Literal["any", "rgb"] = "any"
    size_multiple: int = 1
    tile_halo: int | None = None
    tile_side: int = 512
    scale_for: Callable[[Tensor, StepHook], float] | None = None
    own_engine: bool = False


class Method(Protocol):
    """A deblurring method, ready to run: settings chosen, weights loaded."""

    @property
    def traits(self) -> Traits:
        """What it needs of the image it is given."""
        ...

    @property
    def settings(self) -> Any:
        """A frozen dataclass: every number of the method, with a sentence per field."""
        ...

    def restore(self, blurry: Tensor, options: RestoreOptions, on_step: StepHook = ignore_step) -> Restoration[Tensor]:
        """Return the sharp image and the blur.

        Args:
            blurry: `(B, C, H, W)`, finite, in [0, 1], sRGB-encoded.
            options: What the caller asks; fields that `traits.uses` does not name have no effect.
            on_step: Progress and cancel.

        Returns:
            `image` of the same shape, dtype and device; values may leave [0, 1], the caller clamps once.
        """
        ...


@runtime_checkable
class PictureMethod(Protocol):
    """A method that works on stored pixels; torch is never imported for it."""

    def restore_picture(
        self, picture: Picture, options: RestoreOptions, on_step: StepHook = ignore_step
    ) -> Restoration[Picture]:
        """Return the sharp picture, as `Method.restore` does for a tensor."""
        ...


@runtime_checkable
class LargeMethod(Protocol):
    """A method that restores a large photo part by part, so that memory hardly grows with it."""

    def restore_large(
        self, photo: LargePhoto, options: RestoreOptions, on_step: StepHook = ignore_step
    ) -> Restoration[Any] | None:
        """As `Method.restore`; `image` of the answer is a tensor, or gives its strips (`StripImage`, `LargePhoto`).

        None: such a photo, or with such options, is restored as a whole.
        """
        ...


@runtime_checkable
class TrainedMethod(Protocol):
    """A method with weights; `restore` says in its answer which."""

    checkpoint: Checkpoint
