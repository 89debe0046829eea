"""The one door to every method: command line, batch, benchmarks and the API all restore through it.

Here is what is the same for all methods: checks, colour channels, light, padding, tiles, mixing, clamping, timing.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol, TypeGuard, get_args, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from unblur.errors import ImageError, KernelError, RegionError, ShapeError, UsageError
from unblur.images.kernels import check_kernel, read_kernel
from unblur.images.picture import Picture
from unblur.methods.base import Light, Method, Region, Restoration, StepHook, Task, TrainedMethod
from unblur.methods.catalog import load_method
from unblur.methods.inputs import receive

if TYPE_CHECKING:
    from torch import Tensor

    from unblur.weights.checkpoint import Checkpoint

__all__ = ["PictureMethod", "choose_device", "make_task", "name_device", "restore", "restore_picture", "restore_tensor"]


@runtime_checkable
class PictureMethod(Protocol):
    """A method that works on stored pixels; torch is never imported for it."""

    def restore_picture(self, picture: Picture, task: Task) -> Restoration:
        """Return the sharp picture, as `Method.restore` does for a tensor."""
        ...


def restore(
    blurry: Any,
    method: str | Method = "map",
    *,
    settings: Mapping[str, Any] | None = None,
    weights: str | os.PathLike[str] | Checkpoint | None = None,
    kernel: Any = None,
    kernel_size: int | None = None,
    region: Region | tuple[int, int, int, int] | None = None,
    strength: float = 1.0,
    light: Light = "auto",
    device: str = "auto",
    seed: int = 0,
    tile: int | None = None,
    on_step: StepHook | None = None,
) -> Restoration:
    """The sharp photo, in the form that was given, and the blur that was found.

    Args:
        blurry: A path (the answer is a `Picture`, for `write_image`), the bytes of a file (bytes of the same format), a
            Pillow image, an array `(H, W)` or `(H, W, C)` of `uint8`, `uint16` or floating point in [0, 1], or a
            floating-point tensor `(C, H, W)` or `(B, C, H, W)` in [0, 1]. It is never changed.
        method: A name of `list_methods()`, or a method that is ready.
        settings: The method's own settings by name.
        weights: For a trained method, in place of its own: see `load_method`.
        kernel: The blur, if it is known: a file, an array or a tensor of odd size; it is normalised.
        kernel_size: Largest extent of the blur in pixels, odd; None: estimate it.
        region: Where to look for the blur: x, y, width, height in pixels.
        strength: From 0 (the photo as it is) to 1 (the method's own answer).
        light: In which light the blur took place: `"auto"`, `"encoded"`, `"linear"`.
        device: `"auto"`, `"cpu"`, `"cuda"`, `"cuda:N"` or `"mps"`.
        seed: For methods that draw random numbers.
        tile: Side of the tiles in pixels, for methods that work in tiles.
        on_step: Called with every `Step`; raises `Cancelled` to stop.

    Raises:
        TypeError: An argument of a type that is not listed here.
        ValueError: An array or tensor with a wrong shape or wrong values.
        UsageError: A method, setting, weights, kernel, region or device that cannot be used.
        ImageError: A file that cannot be read, or a result that is not finite.
    """
    ready = load_method(method, settings, weights) if isinstance(method, str) else method
    if not isinstance(method, str) and not (settings is None and weights is None):
        raise TypeError("settings and weights go with the name of a method; this method has its own already")
    task = make_task(
        kernel=kernel,
        kernel_size=kernel_size,
        region=region,
        strength=strength,
        light=light,
        seed=seed,
        on_step=on_step,
        needs_torch=not isinstance(ready, PictureMethod),
    )
    if _is_tensor(blurry):
        return _restore_given_tensor(blurry, ready, task, device, tile)
    given = receive(blurry)
    answer = restore_picture(given.picture, ready, task, device=device, tile=tile)
    warnings = (*given.picture.facts.notes, *answer.warnings)
    return replace(answer, image=given.give_back(answer.image), warnings=warnings)


def make_task(
    *,
    kernel: Any = None,
    kernel_size: int | None = None,
    region: Region | tuple[int, int, int, int] | None = None,
    strength: float = 1.0,
    light: Light = "auto",
    seed: int = 0,
    on_step: StepHook | None = None,
    needs_torch: bool = True,
) -> Task:
    """A task from loose values, checked as far as that goes without the photo.

    Args:
        kernel: A file, an array or a tensor; where no torch is needed it stays an array.
        kernel_size: See `restore`, as for all others.
        region: See there.
        strength: See there.
        light: See there.
        seed: See there.
        on_step: See there.
        needs_torch: Whether the method works on tensors.

    Raises:
        UsageError: A value that cannot be used; the message names the argument.
    """
    if kernel_size is not None and (kernel_size < 1 or kernel_size % 2 == 0):
        raise UsageError(f"the kernel size is an odd number of pixels, such as 25, not {kernel_size}")
    if not 0 <= strength <= 1:
        raise UsageError(f"the strength is from 0 (the photo as it is) to 1 (full), not {strength:g}")
    if light not in get_args(Light):
        raise UsageError(f"light is one of {', '.join(get_args(Light))}, not {light!r}")
    known = None if kernel is None else _read_known_kernel(kernel)
    task = Task(
        kernel=None if known is None else _with_batch(known, needs_torch),
        kernel_size=kernel_size,
        region=None if region is None else _checked_region(region),
        strength=strength,
        light=light,
        seed=seed,
    )
    return task if on_step is None else replace(task, on_step=on_step)


def restore_picture(
    picture: Picture, method: Method, task: Task, *, device: str = "auto", tile: int | None = None
) -> Restoration:
    """Restore a decoded photo; `image` of the answer is a `Picture` of the same depth, colour space, alpha and facts.

    Raises:
        UsageError: A kernel, region or device that does not fit the photo or the machine.
        ImageError: Pixels or a result that are not finite.
    """
    _check_fit(task, picture.height, picture.width)
    if picture.pixels.dtype.kind == "f" and not np.isfinite(picture.pixels).all():
        raise ImageError("has pixels that are not finite numbers (NaN or infinite)")
    started = time.perf_counter()
    if isinstance(method, PictureMethod):
        answer = method.restore_picture(picture, task)
    else:
        from unblur.methods.pipeline import restore_through_tensor  # noqa: PLC0415 - torch only where it is needed

        answer = restore_through_tensor(picture, method, task, choose_device(device), tile)
    return _complete(answer, method, started)


def restore_tensor(blurry: Tensor, method: Method, task: Task, *, tile: int | None = None) -> Restoration:
    """Restore a batch on its own device; `image` of the answer has its shape, dtype and device.

    Args:
        blurry: `(B, C, H, W)`, floating point, in [0, 1], encoded as stored (sRGB).
        method: Ready to run.
        task: For every image of the batch.
        tile: Side of the tiles in pixels, for methods that work in tiles.

    Raises:
        ShapeError: Not four dimensions, or an empty one.
        UsageError: A kernel or region that does not fit.
        ImageError: Pixels or a result that are not finite.
    """
    from unblur.methods.pipeline import is_finite, run_method  # noqa: PLC0415 - torch only where it is needed

    if blurry.ndim != 4 or 0 in blurry.shape:
        raise ShapeError(f"the image tensor has shape {tuple(blurry.shape)}; (B, C, H, W) was expected, none of them 0")
    if not blurry.is_floating_point():
        raise TypeError(f"the image tensor has numbers of type {blurry.dtype}; floating point was expected")
    if not is_finite(blurry):
        raise ImageError("has pixels that are not finite numbers (NaN or infinite)")
    _check_fit(task, *blurry.shape[-2:])
    started = time.perf_counter()
    answer = run_method(blurry, method, task, tile)
    return _complete(answer, method, started)


def choose_device(name: str) -> str:
    """The device to run on: `name` itself if it is there, or the best there is for `"auto"`.

    Raises:
        UsageError: A device that does not exist here.
    """
    import torch  # noqa: PLC0415 - torch only where it is needed

    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.zeros(1, device=name)
    except (RuntimeError, AssertionError, NotImplementedError):
        raise UsageError(f"there is no device {name!r} here; use auto or cpu") from None
    return name


def name_device(name: str) -> str:
    """The device that `name` chooses, with its model where it has one, for records of runs.

    Raises:
        UsageError: A device that does not exist here.
    """
    import torch  # noqa: PLC0415 - torch only where it is needed

    device = choose_device(name)
    return f"{device}: {torch.cuda.get_device_name(device)}" if device.startswith("cuda") else device


def _complete(answer: Restoration, method: Method, started: float) -> Restoration:
    """The answer with what a method need not say itself: how long it took, and with which weights."""
    facts = answer.facts
    if isinstance(method, TrainedMethod):
        facts = {**facts, "weights": method.checkpoint.name, "weights_sha256": method.checkpoint.sha256}
    return replace(answer, facts=facts, seconds=time.perf_counter() - started)


def _restore_given_tensor(blurry: Tensor, method: Method, task: Task, device: str, tile: int | None) -> Restoration:
    batch = blurry[None] if blurry.ndim == 3 else blurry
    moved = batch if device == "auto" else batch.to(choose_device(device))
    answer = restore_tensor(moved, method, task, tile=tile)
    return replace(answer, image=answer.image.to(blurry.device).reshape(blurry.shape))


def _is_tensor(value: object) -> TypeGuard[Tensor]:
    """Whether it is a torch tensor; if torch was never imported, it is none."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.Tensor)


def _read_known_kernel(kernel: Any) -> NDArray[np.float32]:
    if isinstance(kernel, str | os.PathLike):
        return read_kernel(kernel)
    if _is_tensor(kernel):
        kernel = kernel.detach().cpu().numpy()
    if not isinstance(kernel, np.ndarray):
        raise TypeError(f"kernel is a {type(kernel).__name__}; a path, an array or a tensor was expected")
    return check_kernel(kernel.reshape(kernel.shape[-2:]) if kernel.size == np.prod(kernel.shape[-2:]) else kernel)


def _with_batch(kernel: NDArray[np.float32], needs_torch: bool) -> Any:
    """`(1, 1, kH, kW)`."""
    batch = kernel[None, None]
    if not needs_torch:
        return batch
    import torch  # noqa: PLC0415 - torch only where it is needed

    return torch.from_numpy(batch)


def _checked_region(region: Region | tuple[int, int, int, int]) -> Region:
    if len(region) != 4:
        raise RegionError(f"a region is four numbers, X,Y,WIDTH,HEIGHT, not {len(region)}")
    checked = Region(*region)
    if checked.x < 0 or checked.y < 0 or checked.width < 1 or checked.height < 1:
        raise RegionError(f"the region {_words(checked)} is empty or begins outside the photo")
    return checked


def _check_fit(task: Task, height: int, width: int) -> None:
    """What the task says of the photo must be possible for a photo of this size."""
    region = task.region
    if region is not None and (region.x + region.width > width or region.y + region.height > height):
        raise RegionError(f"the region {_words(region)} reaches outside the photo, which has {width}x{height} pixels")
    if task.kernel is not None and (task.kernel.shape[-2] > height or task.kernel.shape[-1] > width):
        size = f"{task.kernel.shape[-1]}x{task.kernel.shape[-2]}"
        raise KernelError(f"the kernel ({size} pixels) is larger than the photo ({width}x{height})")
    if task.kernel_size is not None and task.kernel_size > max(height, width):
        raise KernelError(f"the kernel size {task.kernel_size} is larger than the photo ({width}x{height} pixels)")


def _words(region: Region) -> str:
    return f"{region.x},{region.y},{region.width},{region.height}"
