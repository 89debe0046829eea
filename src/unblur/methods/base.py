"""What a deblurring method is: the task it gets, the answer it gives, and what it promises of itself.

Everything that is the same for all methods (reading, colour channels, alpha, tiling, padding, clamping, devices)
is done once in `apply.py`; a method sees a tensor and a `Task`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, runtime_checkable

if TYPE_CHECKING:
    from torch import Tensor

    from unblur.weights.checkpoint import Checkpoint

__all__ = ["Light", "Method", "Region", "Restoration", "Step", "StepHook", "Task", "TrainedMethod", "Traits"]

Light = Literal["auto", "encoded", "linear"]


class Region(NamedTuple):
    """A rectangle of the photo in pixels, upright, from the top left corner."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True)
class Step:
    """How far a restoration is.

    Attributes:
        fraction: Share of the work that is done, 0 to 1, never falling.
        stage: What is being done now, a few words.
        preview: The image so far `(B, C, H, W)`, where a method has one to show.
    """

    fraction: float
    stage: str
    preview: Tensor | None = None


StepHook = Callable[[Step], None]
"""Called at every step; raises `Cancelled` to stop the work."""


def _ignore(step: Step) -> None:
    """The hook of a caller who does not want to know."""


@dataclass(frozen=True)
class Task:
    """What the caller knows and wishes about one photo, the same for every method.

    Attributes:
        kernel: The blur, if it is known: `(1, 1, kH, kW)`, odd sizes, non-negative, sum 1.
        kernel_size: Largest extent of the blur in pixels, odd, if the caller knows it; None: estimate it.
        region: Where to look for the blur; None: the method chooses.
        strength: 1 is the method's own answer; 0 gives the photo back; between, a mixture.
        light: In which light the blur took place: `"linear"` for photos, `"encoded"` for test images that were
            blurred as stored, `"auto"`: let the method decide.
        seed: For methods that draw random numbers.
        on_step: Progress and cancel.
    """

    kernel: Tensor | None = None
    kernel_size: int | None = None
    region: Region | None = None
    strength: float = 1.0
    light: Light = "auto"
    seed: int = 0
    on_step: StepHook = _ignore


@dataclass(frozen=True)
class Restoration:
    """A method's answer.

    Attributes:
        image: Sharp image. From a method: a tensor like its input; from `restore`: of the type that was given.
        kernel: The blur that was found `(B, 1, kH, kW)`, where the method finds one.
        motion_field: Displacement over the exposure `(B, 2, H, W)` in pixels (right, down), where it finds one.
        history: What happened on the way: named series of numbers, such as a loss at each step.
        seconds: Wall time.
        warnings: Sentences for the user, such as a blur estimate that failed.
        facts: Further plain values for the report, such as the region that was used.
    """

    image: Any
    kernel: Tensor | None = None
    motion_field: Tensor | None = None
    history: dict[str, list[float]] = field(default_factory=dict[str, list[float]])
    seconds: float = 0.0
    warnings: tuple[str, ...] = ()
    facts: dict[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True)
class Traits:
    """What a method needs of the image it is given; `apply.py` sees to it.

    Attributes:
        channels: `"any"`: any number of colour channels; `"rgb"`: three; `"grey"`: one at a time.
        light: Encoding of the tensor: sRGB as stored, or linear light.
        size_multiple: Height and width must be multiples of this.
        tile_halo: None: the method takes a photo of any size and bounds its own memory. A number: the photo is cut
            into tiles that overlap by so many pixels.
        tile_side: Of the tiles, where the user names none.
    """

    channels: Literal["any", "rgb", "grey"] = "any"
    light: Literal["encoded", "linear"] = "encoded"
    size_multiple: int = 1
    tile_halo: int | None = None
    tile_side: int = 512


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

    def restore(self, blurry: Tensor, task: Task) -> Restoration:
        """Return the sharp image and the blur.

        Args:
            blurry: `(B, C, H, W)`, finite, in [0, 1], encoded as `traits.light` says.
            task: What is known and wished. A method that cannot use a field of it says so in a warning.

        Returns:
            `image` of the same shape, dtype and device; values may leave [0, 1], the caller clamps once.
        """
        ...


@runtime_checkable
class TrainedMethod(Protocol):
    """A method with weights; `restore` says in its answer which."""

    checkpoint: Checkpoint
