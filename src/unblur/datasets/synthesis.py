"""Synthetic pairs: a sharp photo blurred, with the kernel, motion field and trajectory of its blur.

The same photo, settings and seed give the same pair, whatever was made before it. As a data set, see `synthetic_set`.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from unblur.blur.borders import Padding, pad_reflect
from unblur.blur.convolve import convolve
from unblur.blur.dynamic import expose, random_blobs, sample_layer_paths
from unblur.blur.kernels import disk_kernel, gaussian_kernel, kernel_from_trajectory, linear_kernel
from unblur.blur.motion_fields import (
    MILD_MOTION,
    STRONG_MOTION,
    blur_by_motion_field,
    largest_reach,
    right_half,
    sample_motion_field,
)
from unblur.blur.trajectories import fit_path, sample_motion_path
from unblur.datasets.blur_settings import (
    DefocusBlur,
    DynamicBlur,
    GaussianBlur,
    LinearBlur,
    MotionFieldBlur,
    ShakeBlur,
    Synthesis,
)
from unblur.datasets.camera import simulate_camera
from unblur.datasets.gyro import read_gyro, sample_gyro_path
from unblur.datasets.pairs import Loader, Pair, PairedSet
from unblur.datasets.photos import PhotoSet
from unblur.datasets.segments import choose_objects, read_segments
from unblur.errors import SettingsError, ShapeError
from unblur.images.tensors import srgb_to_linear

__all__ = ["SyntheticPair", "cut_window", "make_pair", "seed_for", "synthetic_set"]

_FIELD_MARGIN = 48
"""Pixels kept around a crop where the blur varies: the reach of most motions."""


@dataclass(frozen=True)
class SyntheticPair:
    """A pair with its true blur.

    Attributes:
        pair: Blurry and sharp image on the 256 levels of a file, kernel, motion field.
        trajectory: The camera's path `(n, 2)` (right, down) in pixels, or the paths of background and objects
            `(l, t, 3)` (right, down, angle in radians), in time order, where there are any.
        facts: Values that were drawn, as plain numbers.
    """

    pair: Pair
    trajectory: Tensor | None = None
    facts: dict[str, float] = field(default_factory=dict[str, float])

    def lines(self) -> Tensor | None:
        """The straight line that each pixel is blurred along `(1, 2, H, W)`, (right, down) in pixels, if there is one.

        The field of the pair, or the line of a linear kernel everywhere; either of its two directions.
        """
        if self.pair.motion_field is not None or "length" not in self.facts:
            return self.pair.motion_field
        length, angle = self.facts["length"], math.radians(self.facts["angle"])
        line = torch.tensor([length * math.cos(angle), -length * math.sin(angle)], dtype=self.pair.blurry.dtype)
        return line.view(1, 2, 1, 1).expand(-1, -1, *self.pair.blurry.shape[-2:])


@dataclass(frozen=True)
class _Blurred:
    """An image after its blur.

    Attributes:
        image: Smaller than the sharp image by `crop` on each side.
        crop: (rows, columns).
    """

    image: Tensor
    crop: tuple[int, int]
    kernel: Tensor | None = None
    motion_field: Tensor | None = None
    trajectory: Tensor | None = None
    facts: dict[str, float] = field(default_factory=dict[str, float])


class _Work(NamedTuple):
    """A photo in the encoding of its blur, and what its blur depends on."""

    sharp: Tensor
    synthesis: Synthesis
    generator: torch.Generator
    name: str


def seed_for(seed: int, name: str) -> int:
    """A seed for one photo of a run by its name alone, so that the order and the other photos do not matter."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{name}".encode("utf-8", "surrogateescape")).digest()[:8]) >> 1


def make_pair(photo: Tensor, synthesis: Synthesis, seed: int, name: str = "") -> SyntheticPair:
    """Blur a photo.

    Args:
        photo: Sharp, `(1, 1 or 3, H, W)` in [0, 1], encoded as stored.
        synthesis: Kind of blur, sensor, encoding and size.
        seed: Seed of everything that is drawn.
        name: Name of the pair; a moving scene finds its segmentation by the last part of it, the photo's name.

    Raises:
        ShapeError: The photo is smaller than the kernel or the motion.
        KernelError: A kernel that cannot be made with these settings.
        DataError: A recording or segmentation that cannot be used.
    """
    if type(synthesis.blur) not in _BLURS:
        raise SettingsError("frames are added up from sequences (see datasets.frames), not made of photos")
    generator = torch.Generator().manual_seed(seed)
    stored = cut_window(photo, synthesis.size, _margin_of(synthesis.blur), generator)
    scene = srgb_to_linear(stored) if synthesis.encoding == "linear" else stored
    blurred = _BLURS[type(synthesis.blur)](_Work(scene, synthesis, generator, name))
    blurry, sharp = simulate_camera(blurred.image, _crop(stored, blurred.crop), synthesis, generator)
    pair = Pair(name, blurry, sharp, blurred.kernel, synthesis.encoding, blurred.motion_field)
    return SyntheticPair(pair, blurred.trajectory, blurred.facts)


def synthetic_set(photos: PhotoSet, synthesis: Synthesis, seed: int = 0) -> PairedSet:
    """Sharp photos as pairs, made when they are asked for; the same pair each time.

    Photos are named by their file, so a seed and a folder give the same pairs anywhere. Training takes another seed
    for each epoch.
    """
    pairs: list[tuple[str, Loader]] = [(path.stem, partial(_make, path, synthesis, seed)) for path in photos.paths]
    return PairedSet(pairs)


def _make(path: Path, synthesis: Synthesis, seed: int) -> Pair:
    [photo] = PhotoSet([path])
    return make_pair(photo, synthesis, seed_for(seed, path.stem), path.stem).pair


def cut_window(photo: Tensor, size: int | None, margin: int, generator: torch.Generator) -> Tensor:
    """The part of a photo that a pair is made from: all, or a random square larger than the pair by the blur's reach.

    Args:
        photo: `(1, C, H, W)`; one that is too small is continued by its mirror image.
        size: Side of the pair in pixels; None: the whole photo.
        margin: Reach of the blur on each side, pixels.
        generator: Source of random numbers.
    """
    if size is None:
        return photo
    side = size + 2 * margin
    height, width = photo.shape[-2:]
    short, narrow = max(side - height, 0), max(side - width, 0)
    if short or narrow:
        photo = pad_reflect(photo, Padding(narrow // 2, narrow - narrow // 2, short // 2, short - short // 2))
    down, right = torch.rand(2, generator=generator).tolist()
    top, left = int(down * (photo.shape[-2] - side + 1)), int(right * (photo.shape[-1] - side + 1))
    return photo[..., top : top + side, left : left + side]


def _margin_of(blur: Any) -> int:
    kernel_size = getattr(blur, "kernel_size", None)
    return _FIELD_MARGIN if kernel_size is None else kernel_size // 2


def _crop(image: Tensor, crop: tuple[int, int]) -> Tensor:
    rows, columns = crop
    if 2 * rows >= image.shape[-2] or 2 * columns >= image.shape[-1]:
        raise ShapeError(f"a photo of {image.shape[-1]}x{image.shape[-2]} pixels is too small for this motion")
    return image[..., rows : image.shape[-2] - rows, columns : image.shape[-1] - columns]


def _blur_with_kernel(work: _Work) -> _Blurred:
    settings = work.synthesis.blur
    kernel, trajectory, facts = _DRAWS[type(settings)](settings, work.generator)
    margin = kernel.shape[-2] // 2, kernel.shape[-1] // 2
    return _Blurred(convolve(work.sharp, kernel, "valid"), margin, kernel, trajectory=trajectory, facts=facts)


def _blur_with_field(work: _Work) -> _Blurred:
    sharp, synthesis, generator, _ = work
    limits = STRONG_MOTION if synthesis.blur.strength == "strong" else MILD_MOTION
    motion_field = sample_motion_field((sharp.shape[-2], sharp.shape[-1]), generator, limits)
    crop = _crop_to(sharp, synthesis.size) or largest_reach(motion_field)
    blurred = blur_by_motion_field(sharp, motion_field)
    return _Blurred(_crop(blurred, crop), crop, motion_field=right_half(_crop(motion_field, crop)))


def _blur_with_layers(work: _Work) -> _Blurred:
    sharp, synthesis, generator, name = work
    settings: DynamicBlur = synthesis.blur
    size = sharp.shape[-2], sharp.shape[-1]
    if settings.segmentations:
        if synthesis.size is not None:
            raise SettingsError("a segmentation fits a whole photo, so there can be no size beside it")
        labels = read_segments(Path(settings.segmentations) / f"{Path(name).name}.npz", size)
        masks = choose_objects(labels, settings.objects, generator)
    else:
        masks = random_blobs(size, settings.objects, generator)
    paths = sample_layer_paths(
        len(masks),
        generator,
        object_length=(settings.length_min, settings.length_max),
        shake_length=settings.shake,
        turn=math.radians(settings.turn),
        steps=settings.steps,
    )
    exposure = expose(sharp, masks, paths)
    reach = math.ceil(float(paths[0, :, :2].abs().max()))
    crop = _crop_to(sharp, synthesis.size) or (reach, reach)
    motion_field = _crop(exposure.motion_field, crop)
    return _Blurred(_crop(exposure.blurry, crop), crop, motion_field=motion_field, trajectory=paths)


def _crop_to(image: Tensor, size: int | None) -> tuple[int, int] | None:
    return None if size is None else ((image.shape[-2] - size) // 2, (image.shape[-1] - size) // 2)


_Drawn = tuple[Tensor, Tensor | None, dict[str, float]]


def _draw_linear(settings: LinearBlur, generator: torch.Generator) -> _Drawn:
    length = _between(settings.length_min, settings.length_max, generator)
    angle = _between(settings.angle_min, settings.angle_max, generator)
    right, down = (_between(-settings.offset, settings.offset, generator) for _ in range(2))
    kernel = linear_kernel(length, angle, offset=(right, down), size=settings.kernel_size)
    return kernel, None, {"length": length, "angle": angle, "offset_right": right, "offset_down": down}


def _draw_shake(settings: ShakeBlur, generator: torch.Generator) -> _Drawn:
    size = settings.kernel_size
    facts: dict[str, float] = {}
    if settings.gyro:
        path, start, exposure = sample_gyro_path(
            read_gyro(Path(settings.gyro)),
            generator,
            exposure=(settings.exposure_min, settings.exposure_max),
            focal_length=settings.focal_length,
        )
        path, facts = fit_path(path, size), {"start": start, "exposure": exposure}
    else:
        length = (settings.length_min or size / 4, settings.length_max or 1.5 * size)
        path = sample_motion_path(size, generator, length=length)
    return kernel_from_trajectory(path, size), path, facts


def _draw_defocus(settings: DefocusBlur, generator: torch.Generator) -> _Drawn:
    radius = _between(settings.radius_min, settings.radius_max, generator)
    return disk_kernel(radius, size=settings.kernel_size), None, {"radius": radius}


def _draw_gaussian(settings: GaussianBlur, generator: torch.Generator) -> _Drawn:
    along, across = (_between(settings.sigma_min, settings.sigma_max, generator) for _ in range(2))
    angle = _between(0, 180, generator)
    across = along if settings.round else across
    kernel = gaussian_kernel(along, across, angle, size=settings.kernel_size)
    return kernel, None, {"sigma_along": along, "sigma_across": across, "angle": angle}


def _between(least: float, most: float, generator: torch.Generator) -> float:
    return least + (most - least) * float(torch.rand((), generator=generator, dtype=torch.float64))


_DRAWS: dict[type[Any], Callable[[Any, torch.Generator], _Drawn]] = {
    LinearBlur: _draw_linear,
    ShakeBlur: _draw_shake,
    DefocusBlur: _draw_defocus,
    GaussianBlur: _draw_gaussian,
}
_BLURS: dict[type[Any], Callable[[_Work], _Blurred]] = {
    **dict.fromkeys(_DRAWS, _blur_with_kernel),
    MotionFieldBlur: _blur_with_field,
    DynamicBlur: _blur_with_layers,
}
