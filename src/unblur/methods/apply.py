"""The single entry point to every method: command line, batch, benchmarks and the API all restore through it.

Checks, the form of the answer and timing are here; what happens to the pixels is in `pipeline.py`.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeGuard, overload

from unblur.errors import ImageError, ShapeError, UsageError
from unblur.images.picture import Picture
from unblur.methods.base import Method, PictureMethod, Restoration, StepHook, TrainedMethod, ignore_step
from unblur.methods.catalog import DEFAULT_METHOD
from unblur.methods.inputs import ReceivedPhoto, receive
from unblur.methods.loading import load_method
from unblur.methods.options import RestoreOptions, check_burst, check_fit, describe_options

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL.Image import Image
    from torch import Tensor

    from unblur.weights.checkpoint import Checkpoint

__all__ = [
    "choose_device",
    "join_burst",
    "name_device",
    "restore",
    "restore_burst",
    "restore_picture",
    "restore_tensor",
]

_CAMERA_FORMATS = ("jpeg", "heif", "avif", "raw")
"""Photos come in these; test images that were blurred as stored are kept without loss."""


@overload
def restore(blurry: str | os.PathLike[str], method: str | Method = ..., **more: Any) -> Restoration[Picture]: ...
@overload
def restore(blurry: bytes | bytearray | memoryview, method: str | Method = ..., **more: Any) -> Restoration[bytes]: ...
@overload
def restore(blurry: NDArray[Any], method: str | Method = ..., **more: Any) -> Restoration[NDArray[Any]]: ...
@overload
def restore(blurry: Tensor, method: str | Method = ..., **more: Any) -> Restoration[Tensor]: ...
@overload
def restore(blurry: Image, method: str | Method = ..., **more: Any) -> Restoration[Image]: ...


def restore(
    blurry: Any,
    method: str | Method = DEFAULT_METHOD,
    *,
    settings: Mapping[str, Any] | None = None,
    weights: str | os.PathLike[str] | Checkpoint | None = None,
    options: RestoreOptions | None = None,
    on_step: StepHook = ignore_step,
    **named_options: Any,
) -> Restoration[Any]:
    """The sharp photo, in the form that was given, and the blur that was found.

    Args:
        blurry: A path (the answer is a `Picture`, for `write_image`), the bytes of a file (bytes of the same format), a
            Pillow image, an array `(H, W)` or `(H, W, C)` of `uint8`, `uint16` or floating point in [0, 1], or a
            floating-point tensor `(C, H, W)` or `(B, C, H, W)` in [0, 1]. It is never changed.
        method: A name of `list_methods()`, or a method that is ready.
        settings: The method's own settings by name.
        weights: Weights of a trained method, in place of its own: see `load_method`.
        options: What is asked for this photo.
        on_step: Called with every `Step`; raises `Cancelled` to stop.
        named_options: Fields of `RestoreOptions` by name, in place of those in `options`: `kernel_size=25`.

    Raises:
        TypeError: An argument of a type, or an option of a name, that is not listed here.
        ValueError: An array or tensor with a wrong shape or wrong values.
        UsageError: A method, setting, weights, kernel, region or device that cannot be used.
        ImageError: A file that cannot be read, or a result that is not finite.
    """
    ready = _make_ready(method, settings, weights)
    chosen = replace(options or RestoreOptions(), **named_options)
    if _is_tensor(blurry):
        return _restore_given_tensor(blurry, ready, chosen, on_step)
    return _restore_received(receive(blurry), ready, chosen, on_step)


def restore_burst(
    photos: Sequence[Any],
    method: str | Method = DEFAULT_METHOD,
    *,
    settings: Mapping[str, Any] | None = None,
    weights: str | os.PathLike[str] | Checkpoint | None = None,
    options: RestoreOptions | None = None,
    on_step: StepHook = ignore_step,
    **named_options: Any,
) -> Restoration[Any]:
    """The one sharp photo that several blurry photos of one scene show, and the kernel of each.

    The answer has place, size, exposure, form and metadata of the first photo. Photos that do not fit are left out with
    a warning; if only one is left, the first is restored by itself, or the one whose blur was found.

    Args:
        photos: At least two, in any form that `restore` takes but a tensor; of one size, not rotated against each
            other.
        method: As for `restore`: a method that finds a kernel.
        settings: As for `restore`.
        weights: As for `restore`.
        options: As for `restore`; no kernel, region or part of the photo.
        on_step: As for `restore`.
        named_options: As for `restore`.

    Raises:
        TypeError: As for `restore`.
        ValueError: As for `restore`.
        UsageError: As for `restore`; or one photo only, or no other photo has the size of the first.
        ImageError: As for `restore`.
    """
    ready = _make_ready(method, settings, weights)
    chosen = replace(options or RestoreOptions(), **named_options)
    if not photos:
        raise UsageError("a burst is several photos of one scene, and here is none")
    check_burst(chosen)
    given = [receive(photo) for photo in photos]
    burst = join_burst(ready, [one.picture for one in given[1:]])
    return _restore_received(given[0], burst, chosen, on_step)


def join_burst(method: Method, others: Sequence[Picture]) -> Method:
    """The method for a photo that is one of a burst.

    Args:
        method: Ready to run.
        others: Further photos of the scene.

    Raises:
        UsageError: A method that finds no kernels, or no further photo.
    """
    from unblur.images.tensors import array_to_tensor  # noqa: PLC0415 - torch only where it is needed
    from unblur.images.working import to_working  # noqa: PLC0415 - as above
    from unblur.methods.burst.method import Burst  # noqa: PLC0415 - as above

    return Burst(method, [array_to_tensor(to_working(one)) for one in others])


def restore_picture(
    picture: Picture, method: Method, options: RestoreOptions, on_step: StepHook = ignore_step
) -> Restoration[Picture]:
    """Restore a decoded photo; `image` of the answer is a `Picture` of the same depth, colour space, alpha and facts.

    Raises:
        UsageError: A kernel, region or device that does not fit the photo or the machine.
        ImageError: Pixels or a result that are not finite.
    """
    import numpy as np  # noqa: PLC0415 - whoever has a picture has loaded it already

    check_fit(options, picture.height, picture.width)
    if picture.pixels.dtype.kind == "f" and not np.isfinite(picture.pixels).all():
        raise ImageError("has pixels that are not finite numbers (NaN or infinite)")
    started = time.perf_counter()
    if isinstance(method, PictureMethod):
        answer = method.restore_picture(picture, options, on_step)
    else:
        from unblur.methods.pipeline import restore_through_tensor  # noqa: PLC0415 - torch only where it is needed

        known = _with_encoding_of(picture, method, options)
        answer = restore_through_tensor(picture, method, known, on_step, choose_device(options.device))
    return _complete(answer, method, options, started)


def restore_tensor(
    blurry: Tensor, method: Method, options: RestoreOptions | None = None, on_step: StepHook = ignore_step
) -> Restoration[Tensor]:
    """Restore a batch on its own device; `image` of the answer has its shape, dtype and device.

    Args:
        blurry: `(B, C, H, W)`, floating point, in [0, 1], encoded as stored (sRGB).
        method: Ready to run.
        options: Options for every image of the batch; their `device` is ignored.
        on_step: Progress and cancel.

    Raises:
        ShapeError: Not four dimensions, or an empty one.
        UsageError: A kernel or region that does not fit.
        ImageError: Pixels or a result that are not finite.
    """
    from unblur.methods.pipeline import is_finite, run_method  # noqa: PLC0415 - torch only where it is needed

    options = options or RestoreOptions()
    if blurry.ndim != 4 or 0 in blurry.shape:
        raise ShapeError(f"the image tensor has shape {tuple(blurry.shape)}; (B, C, H, W) was expected, none of them 0")
    if not blurry.is_floating_point():
        raise TypeError(f"the image tensor has numbers of type {blurry.dtype}; floating point was expected")
    if not is_finite(blurry):
        raise ImageError("has pixels that are not finite numbers (NaN or infinite)")
    check_fit(options, *blurry.shape[-2:])
    started = time.perf_counter()
    answer = run_method(blurry, method, options, on_step)
    return _complete(answer, method, options, started)


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


def _with_encoding_of(picture: Picture, method: Method, options: RestoreOptions) -> RestoreOptions:
    """The options with the encoding that the file gives away: cameras blur linear light, whatever the blur is."""
    if options.encoding != "auto" or "encoding" not in method.traits.uses:
        return options
    return replace(options, encoding="linear") if picture.facts.format in _CAMERA_FORMATS else options


def _complete(answer: Restoration[Any], method: Method, options: RestoreOptions, started: float) -> Restoration[Any]:
    """The answer with what a method need not say itself: options without effect, its weights, its time."""
    facts = answer.facts
    if isinstance(method, TrainedMethod):
        facts = {**facts, "weights": method.checkpoint.name, "weights_sha256": method.checkpoint.sha256}
    warnings = (*answer.warnings, *_unused(options, method))
    return replace(answer, facts=facts, warnings=warnings, seconds=time.perf_counter() - started)


def _unused(options: RestoreOptions, method: Method) -> list[str]:
    """A sentence for each option that is given and has no effect on this method."""
    described = describe_options()
    return [
        f"this method does not use {name.replace('_', '-')}, so it has no effect"
        for name in options.given()
        if name not in method.traits.uses and not described[name].for_all
    ]


def _make_ready(
    method: str | Method, settings: Mapping[str, Any] | None, weights: str | os.PathLike[str] | Checkpoint | None
) -> Method:
    if isinstance(method, str):
        return load_method(method, settings, weights)
    if not (settings is None and weights is None):
        raise TypeError("settings and weights go with the name of a method; this method has its own already")
    return method


def _restore_received(
    given: ReceivedPhoto, method: Method, options: RestoreOptions, on_step: StepHook
) -> Restoration[Any]:
    answer = restore_picture(given.picture, method, options, on_step)
    warnings = (*given.picture.facts.notes, *answer.warnings)
    return replace(answer, image=given.give_back(answer.image), warnings=warnings)


def _restore_given_tensor(
    blurry: Tensor, method: Method, options: RestoreOptions, on_step: StepHook
) -> Restoration[Tensor]:
    batch = blurry[None] if blurry.ndim == 3 else blurry
    moved = batch if options.device == "auto" else batch.to(choose_device(options.device))
    answer = restore_tensor(moved, method, options, on_step)
    return replace(answer, image=answer.image.to(blurry.device).reshape(blurry.shape))


def _is_tensor(value: object) -> TypeGuard[Tensor]:
    """Whether it is a torch tensor; if torch was never imported, it is none."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.Tensor)
