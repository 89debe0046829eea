"""Blur from frames: consecutive frames of a fast camera averaged, as GoPro and REDS were made."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from unblur.datasets.blur_settings import FrameAverage
from unblur.datasets.folders import find_images
from unblur.datasets.image_files import read_tensor
from unblur.errors import DataError, ReadError, ShapeError
from unblur.images.tensors import linear_to_srgb, srgb_to_linear
from unblur.system.extras import import_extra

__all__ = ["AveragedFrames", "average_frames", "curve_of", "exposures_of", "read_frames"]

Frame = tuple[str, Tensor]
"""Its name and its pixels `(1, C, H, W)`, encoded as stored."""

Curve = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class AveragedFrames:
    """One exposure made of frames.

    Attributes:
        name: The middle frame's name.
        blurry: Mean of the frames, encoded as they are.
        sharp: The middle frame: of 8 the fifth.
        frames: Names of the first and the last frame.
    """

    name: str
    blurry: Tensor
    sharp: Tensor
    frames: tuple[str, str]


def exposures_of(frames: Iterable[Frame], settings: FrameAverage) -> Iterator[AveragedFrames]:
    """Every exposure of a sequence, one `stride` after the other; frames left over at the end are not used.

    Raises:
        DataError: Fewer frames than one exposure needs.
        ShapeError: Frames of different sizes.
    """
    stride = settings.stride or settings.count
    recent: deque[Frame] = deque(maxlen=settings.count)
    seen = 0
    for seen, frame in enumerate(frames, start=1):
        recent.append(frame)
        if seen >= settings.count and (seen - settings.count) % stride == 0:
            yield _exposure(recent, settings)
    if seen < settings.count:
        raise DataError(f"has {seen} frames; an exposure is made of {settings.count}")


def average_frames(frames: Sequence[Tensor], curve: tuple[Curve, Curve]) -> Tensor:
    """Mean of the frames' light, encoded again.

    Args:
        frames: Encoded as stored, of one size.
        curve: Functions from stored values to light, and back.

    Raises:
        ShapeError: Frames of different sizes.
    """
    decode, encode = curve
    if len({frame.shape for frame in frames}) != 1:
        raise ShapeError("expected frames of one size; these differ")
    # float64: 33 frames summed in float32 would not always round to the same grey level
    total = torch.zeros_like(frames[0], dtype=torch.float64)
    for frame in frames:
        total += decode(frame.double())
    return encode(total / len(frames)).to(frames[0].dtype)


def curve_of(settings: FrameAverage) -> tuple[Curve, Curve]:
    """The curve from stored values to light, and back."""
    if settings.curve == "srgb":
        return srgb_to_linear, linear_to_srgb
    gamma = settings.gamma if settings.curve == "gamma" else 1.0
    return (lambda stored: stored**gamma), (lambda light: light ** (1 / gamma))


def read_frames(source: Path) -> Iterator[Frame]:
    """The frames of a folder of images, in order of their names, or of a video.

    Raises:
        DataError: A folder without images.
        MissingExtraError: A video, and opencv, which reads it, is not installed.
        ReadError: A frame cannot be read.
    """
    if source.is_dir():
        return ((path.stem, read_tensor(path)) for path in find_images(source))
    return _read_video(source)


def _exposure(recent: Iterable[Frame], settings: FrameAverage) -> AveragedFrames:
    names, tensors = zip(*recent, strict=True)
    middle = settings.count // 2
    return AveragedFrames(
        names[middle], average_frames(tensors, curve_of(settings)), tensors[middle], (names[0], names[-1])
    )


def _read_video(source: Path) -> Iterator[Frame]:
    cv2 = import_extra("cv2", "a video")
    video = cv2.VideoCapture(str(source))
    try:
        number = 0
        while True:
            is_read, frame = video.read()
            if not is_read:
                break
            colours = torch.from_numpy(frame[..., ::-1].copy()).permute(2, 0, 1)[None]
            yield f"{number:06d}", colours.float() / 255
            number += 1
    finally:
        video.release()
    if number == 0:
        raise ReadError("is neither a folder of frames nor a video that can be read")
