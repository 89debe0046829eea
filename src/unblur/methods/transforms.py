"""Reversible steps between a photo and what a method works on: channels, padding, encoding; all are differentiable."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from unblur.blur.borders import Padding, crop_padding, pad_reflect
from unblur.errors import ShapeError
from unblur.images.large import Image, LargePhoto, apply, enlarged
from unblur.images.tensors import linear_to_srgb, srgb_to_linear
from unblur.methods.base import StepHook, Traits, ignore_step

__all__ = [
    "Channels",
    "Encode",
    "Pad",
    "Shrink",
    "Transform",
    "apply_forward",
    "resample",
    "transforms_for",
    "undo",
    "undo_field",
]


class Transform(Protocol):
    """One step: `backward` undoes `forward` for any image of the method, such as its answer."""

    def forward(self, image: Any) -> Any:
        """The image in the form that the method takes."""
        ...

    def backward(self, image: Any) -> Any:
        """An image of the method in the form of the photo."""
        ...

    def backward_field(self, field: Tensor) -> Tensor:
        """A map of the method, such as a motion field, at the places of the photo."""
        ...


@dataclass(frozen=True)
class Channels:
    """A grey photo for a network of three channels: three equal channels in, the mean of three out."""

    def forward(self, image: Image) -> Image:
        """Three equal channels."""
        return apply(image, lambda part: part.expand(-1, 3, -1, -1), 3)

    def backward(self, image: Image) -> Image:
        """The mean of the channels."""
        return apply(image, lambda part: part.mean(1, keepdim=True), 1)

    def backward_field(self, field: Tensor) -> Tensor:
        """Unchanged."""
        return field


@dataclass(frozen=True)
class Pad:
    """The photo continued by its mirror image to the sizes that a network takes."""

    padding: Padding

    def forward(self, image: Tensor) -> Tensor:
        """With the mirrored margin."""
        return pad_reflect(image, self.padding)

    def backward(self, image: Tensor) -> Tensor:
        """Without it."""
        return crop_padding(image, self.padding)

    def backward_field(self, field: Tensor) -> Tensor:
        """Without it."""
        return crop_padding(field, self.padding)


@dataclass(frozen=True)
class Shrink:
    """The photo at a smaller size; what was changed there is added to the photo, which so keeps its finest detail.

    Args:
        photo: At its own size.
        size: Height and width of the small one.
    """

    photo: Image
    size: tuple[int, int]

    def forward(self, image: Image) -> Tensor:
        """At the smaller size, without aliasing."""
        return resample(image, self.size)

    def backward(self, image: Tensor) -> Image:
        """The photo, with what the image differs from the small photo by."""
        change, size = image - self.forward(self.photo), (self.photo.shape[2], self.photo.shape[3])
        if isinstance(self.photo, LargePhoto):
            return self.photo.plus(enlarged(change, size))
        return self.photo + resample(change, size)

    def backward_field(self, field: Tensor) -> Tensor:
        """At the photo's size and in its pixels."""
        factor = field.new_tensor([self.photo.shape[3] / self.size[1], self.photo.shape[2] / self.size[0]])
        return resample(field, (self.photo.shape[2], self.photo.shape[3])) * factor[:, None, None]


@dataclass(frozen=True)
class Encode:
    """sRGB-encoded values, or the linear light that they stand for, where the blur took place there."""

    encoding: Literal["encoded", "linear"]

    def forward(self, image: Tensor) -> Tensor:
        """From sRGB values to the encoding of the blur."""
        return srgb_to_linear(image) if self.encoding == "linear" else image

    def backward(self, image: Tensor) -> Tensor:
        """Back to sRGB values; linear light is clamped to [0, 1] first, encoded values are not."""
        return linear_to_srgb(image.clamp(0, 1)) if self.encoding == "linear" else image

    def backward_field(self, field: Tensor) -> Tensor:
        """Unchanged."""
        return field


def transforms_for(blurry: Image, traits: Traits, on_step: StepHook = ignore_step) -> list[Transform]:
    """The transforms that a method of these traits needs for this photo.

    Args:
        blurry: `(B, C, H, W)`, sRGB-encoded, in [0, 1].
        traits: Of the method.
        on_step: Progress, as the beginning of the work on the photo, and cancel, where a choice takes time.

    Raises:
        ShapeError: The method cannot work on so many channels.
    """
    steps: list[Transform] = []
    channels, height, width = blurry.shape[1:]
    if traits.channels == "rgb" and channels == 1:
        steps.append(Channels())
    elif traits.channels == "rgb" and channels != 3:
        raise ShapeError(f"this method works on 1 or 3 colour channels, not {channels}")
    prepared = apply_forward(steps, blurry)
    if traits.scale_for is not None and (scale := traits.scale_for(prepared, on_step)) < 1:
        height, width = (max(1, round(side * scale)) for side in (height, width))
        steps.append(Shrink(prepared, (height, width)))
    right, below = -width % traits.size_multiple, -height % traits.size_multiple
    if right or below:
        steps.append(Pad(Padding(0, right, 0, below)))
    return steps


def apply_forward(transforms: Sequence[Transform], image: Any) -> Any:
    """All steps in their order."""
    for step in transforms:
        image = step.forward(image)
    return image


def undo(transforms: Sequence[Transform], image: Tensor) -> Any:
    """All steps undone, the last one first."""
    for step in reversed(transforms):
        image = step.backward(image)
    return image


def undo_field(transforms: Sequence[Transform], field: Tensor) -> Tensor:
    """All steps undone for a map."""
    for step in reversed(transforms):
        field = step.backward_field(field)
    return field


def resample(image: Image, size: tuple[int, int]) -> Float[Tensor, "b c _ _"]:
    """The image at another height and width, bicubic and without aliasing."""
    if isinstance(image, LargePhoto):
        return image.at_size(size, "bicubic")
    return functional.interpolate(image, size, mode="bicubic", antialias=True)
