"""What happens to pixels on their way through a method: light, channels, padding or tiles, mixing, one clamp."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from unblur.errors import ImageError, ShapeError, TooLargeError
from unblur.images.picture import Picture
from unblur.images.tensors import (
    array_to_tensor,
    crop_padding,
    linear_to_srgb,
    pad_to_multiple,
    srgb_to_linear,
    tensor_to_array,
)
from unblur.images.tiling import run_tiled
from unblur.images.working import from_working, to_working
from unblur.methods.base import Method, Restoration, Step, StepHook, Task

__all__ = ["is_finite", "restore_through_tensor", "run_method"]


def restore_through_tensor(picture: Picture, method: Method, task: Task, device: str, tile: int | None) -> Restoration:
    """Restore a picture with a method that works on tensors."""
    blurry = array_to_tensor(to_working(picture)).to(device)
    answer = run_method(blurry, method, task, tile)
    # At strength 0 not even rounding may change the photo.
    restored = picture if task.strength == 0 else from_working(tensor_to_array(answer.image), like=picture)
    return replace(answer, image=restored)


def run_method(blurry: Tensor, method: Method, task: Task, tile: int | None) -> Restoration:
    """Run a method on `(B, C, H, W)` in [0, 1], encoded as stored, and clamp its answer once.

    Raises:
        ShapeError: The method cannot work on so many channels, or its answer has another shape.
        ImageError: The answer is not finite, not even in double precision.
        TooLargeError: The device has too little memory.
    """
    task = replace(task, on_step=_rising(task.on_step))
    # Fourier transforms need float32 or better.
    working = blurry if blurry.dtype == torch.float64 else blurry.float()
    try:
        # Not inference_mode: a method that learns on the photo switches gradients on again.
        with torch.no_grad():
            answer = _in_its_light(working, method, task, tile)
            if not is_finite(answer.image):
                answer = _in_its_light(working.to("cpu", torch.float64), method, task, tile)
                if not is_finite(answer.image):
                    raise ImageError("gives values that are not finite with this method; try other settings")
    except torch.OutOfMemoryError:
        raise TooLargeError("needs more memory than the device has; use --tile or --device cpu") from None
    if answer.image.shape != blurry.shape:
        raise ShapeError(f"the method answered with shape {tuple(answer.image.shape)} to {tuple(blurry.shape)}")
    restored = answer.image.to(working).clamp(0, 1)
    if task.strength != 1:
        restored = torch.lerp(working, restored, task.strength)
    return replace(answer, image=restored.to(blurry.dtype))


def is_finite(image: Tensor) -> bool:
    """Whether every value is finite; its extremes tell, without a mask as large as the photo."""
    return bool(torch.stack(image.aminmax()).isfinite().all())


def _rising(hook: StepHook) -> StepHook:
    """The same hook, but the fraction it sees never falls and stays within 0 and 1."""
    highest = 0.0

    def on_step(step: Step) -> None:
        nonlocal highest
        highest = max(highest, min(step.fraction, 1.0))
        hook(replace(step, fraction=highest))

    return on_step


def _shown_as(task: Task, change: Callable[[Tensor], Tensor]) -> Task:
    """The same task, but whoever looks at a step sees its image changed back to the form of the photo."""

    def on_step(step: Step) -> None:
        task.on_step(step if step.preview is None else replace(step, preview=change(step.preview)))

    return replace(task, on_step=on_step)


def _in_its_light(blurry: Tensor, method: Method, task: Task, tile: int | None) -> Restoration:
    task = replace(task, kernel=None if task.kernel is None else task.kernel.to(blurry))
    if method.traits.light == "encoded":
        return _in_its_channels(blurry, method, task, tile)
    task = _shown_as(task, _encoded)
    answer = _in_its_channels(srgb_to_linear(blurry), method, task, tile)
    return replace(answer, image=_encoded(answer.image))


def _encoded(image_linear: Tensor) -> Tensor:
    return linear_to_srgb(image_linear.clamp(0, 1))


def _in_its_channels(blurry: Tensor, method: Method, task: Task, tile: int | None) -> Restoration:
    batch, channels, height, width = blurry.shape
    wanted = method.traits.channels
    if wanted == "rgb" and channels == 1:
        answer = _in_its_size(blurry.expand(-1, 3, -1, -1), method, _shown_as(task, _grey), tile)
        return replace(answer, image=_grey(answer.image))
    if wanted == "rgb" and channels != 3:
        raise ShapeError(f"this method works on 1 or 3 colour channels, not {channels}")
    if wanted == "grey" and channels > 1:
        # Each channel as an image of its own; a kernel found for each is one with so many channels.
        task = _shown_as(task, lambda image: image.reshape(blurry.shape))
        answer = _in_its_size(blurry.reshape(-1, 1, height, width), method, task, tile)
        kernel = answer.kernel
        return replace(
            answer,
            image=answer.image.reshape(blurry.shape),
            kernel=None if kernel is None else kernel.reshape(batch, channels, *kernel.shape[-2:]),
        )
    return _in_its_size(blurry, method, task, tile)


def _grey(image: Tensor) -> Tensor:
    return image.mean(1, keepdim=True)


def _in_its_size(blurry: Tensor, method: Method, task: Task, tile: int | None) -> Restoration:
    padded, padding = pad_to_multiple(blurry, method.traits.size_multiple)
    halo = method.traits.tile_halo
    side = tile or method.traits.tile_side
    if halo is None or max(padded.shape[-2:]) <= side:
        answer = method.restore(padded, _shown_as(task, lambda image: crop_padding(image, padding)))
    else:
        answer = _in_tiles(padded, method, task, side, halo)
    if tile and halo is None:
        answer = replace(
            answer, warnings=(*answer.warnings, "this method does not work in tiles; --tile has no effect")
        )
    field = answer.motion_field
    return replace(
        answer,
        image=crop_padding(answer.image, padding),
        motion_field=None if field is None else crop_padding(field, padding),
    )


def _in_tiles(blurry: Tensor, method: Method, task: Task, side: int, halo: int) -> Restoration:
    """Tile by tile; what a method finds in one tile (kernel, field, history) is not the photo's and is left out."""
    warnings: dict[str, None] = {}

    def can_cancel(step: Step) -> None:
        task.on_step(replace(step, fraction=0.0, preview=None))

    def restore_tile(part: Tensor) -> Tensor:
        answer = method.restore(part, replace(task, region=None, on_step=can_cancel))
        warnings.update(dict.fromkeys(answer.warnings))
        return answer.image

    def tell(done: int, total: int) -> None:
        task.on_step(Step(done / total, f"tile {done} of {total}"))

    image = run_tiled(blurry, restore_tile, side, halo, tell)
    return Restoration(image=image, warnings=tuple(warnings))
