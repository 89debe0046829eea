"""A photo through a method, in a row: transforms, the method (in tiles if need be), transforms undone, one clamp."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from unblur.errors import ImageError, MemoryShortageError, ShapeError
from unblur.images.large import LARGE, LargePhoto, room_like, strips_of
from unblur.images.picture import Picture
from unblur.images.tensors import array_to_tensor, resized, tensor_to_array
from unblur.images.tiling import run_in_smaller_tiles, run_tiled
from unblur.images.working import from_working, to_working
from unblur.methods.base import (
    LargeMethod,
    Method,
    Restoration,
    Step,
    StepHook,
    TrainedMethod,
    ignore_step,
    steps_of_part,
)
from unblur.methods.onnx_engine import choose_engine
from unblur.methods.options import RestoreOptions, check_fit
from unblur.methods.orientation import settle_orientation
from unblur.methods.part import choose_part
from unblur.methods.plausibility import TOO_SMALL, Changes, is_too_small, keep_plausible
from unblur.methods.transforms import Shrink, Transform, apply_forward, transforms_for, undo, undo_field
from unblur.system.memory import is_out_of_memory

__all__ = ["is_finite", "pass_through", "restore_through_tensor", "run_method"]


def restore_through_tensor(
    picture: Picture, method: Method, options: RestoreOptions, on_step: StepHook, device: str
) -> Restoration[Picture]:
    """Restore a picture with a method that works on tensors: a large one part by part, where the method can."""
    with _explaining_memory(device):
        large = _restore_large(picture, method, options, _rising(on_step), device)
        if large is not None:
            return large
        blurry = array_to_tensor(to_working(picture)).to(device)
        answer = run_method(blurry, method, options, on_step)
        # At strength 0 not even rounding may change the photo.
        restored = picture if options.strength == 0 else from_working(tensor_to_array(answer.image), like=picture)
        part = choose_part(options, picture.height, picture.width)
        restored = restored if part is None else part.keep_rest(restored, picture)
    return replace(answer, image=restored)  # pyright: ignore[reportReturnType, reportArgumentType] - another image type


def _restore_large(
    picture: Picture, method: Method, options: RestoreOptions, on_step: StepHook, device: str
) -> Restoration[Picture] | None:
    """The answer to a large picture of which no whole tensor is made; None: it has to be restored as a whole."""
    if picture.height * picture.width <= LARGE or options.names_part or not LargePhoto.can_be_parted(picture):
        return None
    photo = LargePhoto.of(picture, device)
    with torch.no_grad():
        settled, remark = settle_orientation(photo, method, options)
        answer = _answer_in_parts(photo, method, settled, on_step)
        if answer is None:
            return None
        if answer.unchanged or options.strength == 0:
            return replace(answer, image=picture)
        restored, doubts = _store(answer.image, photo, picture, options, is_network=isinstance(method, TrainedMethod))
    if restored is None:
        return None
    return replace(answer, image=restored, warnings=(*answer.warnings, *doubts, *filter(None, [remark])))


def _answer_in_parts(
    photo: LargePhoto, method: Method, options: RestoreOptions, on_step: StepHook
) -> Restoration[Any] | None:
    if isinstance(method, LargeMethod):
        return method.restore_large(photo, options, on_step)
    if method.traits.scale_for is None:
        return None
    return pass_through(photo, choose_engine(method, options), options, on_step)


def _store(
    image: Any, photo: LargePhoto, picture: Picture, options: RestoreOptions, *, is_network: bool
) -> tuple[Picture | None, tuple[str, ...]]:
    """The answer in the form of the picture, strip by strip, and doubts; None: it is not finite."""
    pixels, changes, top = room_like(picture.pixels), Changes(), 0
    for strip in strips_of(image):
        if not is_finite(strip):
            return None, ()
        rows = slice(top, top + strip.shape[2])
        own, restored = photo[..., rows, :], strip.clamp(0, 1)
        if is_network:
            changes.add(own, restored)
        if options.strength != 1:
            restored = torch.lerp(own, restored, options.strength)
        like = replace(picture, pixels=picture.pixels[rows])
        pixels[rows] = from_working(tensor_to_array(restored), like=like).pixels
        top = rows.stop
    wrong, doubts = changes.judge() if is_network else (None, ())
    return (picture if wrong is not None and bool(wrong.any()) else replace(picture, pixels=pixels)), doubts


def run_method(
    blurry: Tensor, method: Method, options: RestoreOptions, on_step: StepHook = ignore_step
) -> Restoration[Tensor]:
    """Run a method on `(B, C, H, W)` in [0, 1], sRGB-encoded, without gradients, and clamp its answer once.

    Where the options name a part of the photo, the method is given that part alone.

    Raises:
        ShapeError: The method cannot work on so many channels, or its answer has another shape.
        KernelError: The kernel is larger than the part.
        RegionError: The region lies outside the part.
        ImageError: The answer is not finite, not even in double precision.
        MemoryShortageError: The device has too little memory.
    """
    part = choose_part(options, blurry.shape[-2], blurry.shape[-1])
    if part is None:
        return _run_on_all(blurry, method, options, on_step)
    limited = part.limit(options)
    check_fit(limited, part.box.height, part.box.width)
    answer = _run_on_all(part.cut(blurry), method, limited, part.show_whole(on_step, blurry))
    return part.complete(answer, blurry)


def _run_on_all(blurry: Tensor, method: Method, options: RestoreOptions, on_step: StepHook) -> Restoration[Tensor]:
    """As `run_method`, for a photo that is restored as a whole."""
    on_step = _rising(on_step)
    is_network = isinstance(method, TrainedMethod)
    if is_network and is_too_small(blurry):
        on_step(Step(1.0, "too small"))
        return Restoration(image=blurry.clone(), warnings=(TOO_SMALL,))
    # Fourier transforms need float32 or better.
    working = blurry if blurry.dtype == torch.float64 else blurry.float()
    # Not inference_mode: a method that learns on the photo switches gradients on again.
    with torch.no_grad(), _explaining_memory(blurry.device.type):
        options, remark = settle_orientation(working, method, options)
        answer = _finite_answer(working, choose_engine(method, options), options, on_step)
        if answer.image.shape != blurry.shape:
            raise ShapeError(f"the method answered with shape {tuple(answer.image.shape)} to {tuple(blurry.shape)}")
        restored = answer.image.to(working).clamp(0, 1)
        restored, doubts = keep_plausible(working, restored) if is_network else (restored, ())
        if options.strength != 1:
            restored = torch.lerp(working, restored, options.strength)
    return replace(
        answer, image=restored.to(blurry.dtype), warnings=(*answer.warnings, *doubts, *filter(None, [remark]))
    )


def _finite_answer(working: Tensor, method: Method, options: RestoreOptions, on_step: StepHook) -> Restoration[Tensor]:
    answer = pass_through(working, method, options, on_step)
    if not is_finite(answer.image):
        answer = pass_through(working.to("cpu", torch.float64), method, options, on_step)
        if not is_finite(answer.image):
            raise ImageError("gives values that are not finite with this method; try other settings")
    return answer


@contextmanager
def _explaining_memory(device: str) -> Generator[None]:
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        advice = "take less of the photo or a smaller copy" if device == "cpu" else "use --device cpu"
        raise MemoryShortageError(f"needs more memory than there is, also in small tiles; {advice}") from None


def pass_through(
    blurry: Any, method: Method, options: RestoreOptions, on_step: StepHook = ignore_step
) -> Restoration[Any]:
    """The method's answer in the form of the photo: not clamped, and with its gradient where the method has one.

    Args:
        blurry: `(B, C, H, W)`, sRGB-encoded, in [0, 1]. Of a `LargePhoto`, the answer is one, too, if the method works
            on a reduced size.
        method: Ready to run.
        options: What is asked; `tile` is heeded for methods that work in tiles.
        on_step: Sees previews in the form of the photo.
    """
    begun = 0.0

    def on_preparation(step: Step) -> None:
        nonlocal begun
        begun = step.fraction
        on_step(step)

    transforms = transforms_for(blurry, method.traits, on_preparation)
    if isinstance(blurry, LargePhoto) and not any(isinstance(step, Shrink) for step in transforms):
        blurry = blurry[..., :, :]
    prepared = apply_forward(transforms, blurry)
    on_rest = steps_of_part(on_step, 0, 1, phase=(begun, 1.0))
    answer = _run_whole_or_tiled(prepared, method, options, on_rest, transforms)
    field = answer.motion_field
    sizes = [step.size for step in transforms if isinstance(step, Shrink)]
    return replace(
        answer,
        facts={**answer.facts, "restored_at": sizes[0]} if sizes else answer.facts,
        image=undo(transforms, answer.image),
        motion_field=None if field is None else undo_field(transforms, field),
    )


def is_finite(image: Tensor) -> bool:
    """Whether every value is finite; decided by its extremes, without a mask as large as the photo."""
    return bool(torch.stack(image.aminmax()).isfinite().all())


def _run_whole_or_tiled(
    prepared: Tensor, method: Method, options: RestoreOptions, on_step: StepHook, transforms: Sequence[Transform]
) -> Restoration[Tensor]:
    halo, largest = method.traits.tile_halo, max(prepared.shape[-2:])

    def run(side: int) -> Restoration[Tensor]:
        if halo is None or largest <= side:
            return method.restore(prepared, options, _undone(on_step, transforms, prepared))
        return _in_tiles(prepared, method, options, on_step, side)

    if halo is None:
        return run(largest)
    return run_in_smaller_tiles(run, min(largest, options.tile or method.traits.tile_side))


def _in_tiles(
    prepared: Tensor, method: Method, options: RestoreOptions, on_step: StepHook, side: int
) -> Restoration[Tensor]:
    """Tile by tile; what a method finds in one tile (kernel, field, history) is not the photo's and is left out."""
    warnings: dict[str, None] = {}
    part_options = replace(options, region=None, mask=None)

    def can_cancel(step: Step) -> None:
        on_step(replace(step, fraction=0.0, show=None))

    def restore_tile(part: Tensor) -> Tensor:
        answer = method.restore(part, part_options, can_cancel)
        warnings.update(dict.fromkeys(answer.warnings))
        return answer.image

    def report(done: int, total: int) -> None:
        on_step(Step(done / total, f"tile {done} of {total}"))

    traits = method.traits
    image = run_tiled(prepared, restore_tile, side, traits.tile_halo or 0, report, multiple=traits.size_multiple)
    return Restoration(image=image, warnings=tuple(warnings))


def _undone(on_step: StepHook, transforms: Sequence[Transform], prepared: Tensor) -> StepHook:
    """The same hook, but it sees previews in the form of the photo."""
    if not transforms:
        return on_step
    if any(isinstance(step, Shrink) and isinstance(step.photo, LargePhoto) for step in transforms):
        return lambda step: on_step(replace(step, show=None))
    return lambda step: on_step(step.with_preview(lambda shown: undo(transforms, resized(shown, *prepared.shape[-2:]))))


def _rising(hook: StepHook) -> StepHook:
    """The same hook, but the fraction it sees never falls and stays within 0 and 1."""
    highest = 0.0

    def on_step(step: Step) -> None:
        nonlocal highest
        highest = max(highest, min(step.fraction, 1.0))
        hook(replace(step, fraction=highest))

    return on_step
