"""The kinds of photo, and one photo of a kind: scene, blur, sensor, file.

Blur takes place in linear light. The sensor adds photon and read noise, the file holds 8 bits of sRGB, three in four as
JPEG of quality 75 to 95.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

from unblur.datasets.blur_settings import GaussianBlur, Sensor, Synthesis
from unblur.datasets.camera import simulate_camera
from unblur.datasets.folders import set_folder
from unblur.datasets.pairs import Loader, Pair, PairedSet
from unblur.datasets.photo_kinds.blurs import (
    Blur,
    Exposed,
    defocus,
    gaussian,
    line,
    moving_object,
    shake,
    turning_shake,
    uniform,
)
from unblur.datasets.photo_kinds.scenes import OVERLAYS, add_lamps, code_page, lay_over, text_page
from unblur.datasets.photos import PhotoSet, kodak
from unblur.datasets.synthesis import cut_window, seed_for
from unblur.images.tensors import linear_to_srgb, srgb_to_linear

__all__ = [
    "MadePhoto",
    "PhotoKind",
    "large_photo_kinds",
    "large_photos_suite",
    "make_photo",
    "photo_kinds",
    "photos_suite",
]

_ORDINARY_PHOTONS = (2_000.0, 20_000.0)
_ORDINARY_READ_NOISE = (0.001, 0.004)
_FEW_PHOTONS = (150.0, 500.0)
_HIGH_READ_NOISE = (0.008, 0.02)
_QUALITIES = (75, 95)
_KEPT_WITHOUT_LOSS = 0.25
_ENLARGED = 3
_MARGIN = 40
"""Pixels around a crop that its blur may draw light from."""


@dataclass(frozen=True)
class PhotoKind:
    """One kind of photo.

    Attributes:
        summary: One line for people.
        blur: None: the photo is sharp.
        scene: The photo itself, a page of text or codes in its place, or the photo at night with lamps.
        noise: Noise of an ordinary sensor, or strong noise.
        file: PNG, JPEG of the usual qualities, JPEG of quality 30, or three in four JPEG.
        overlay: Something sharp is laid over the photo.
        enlarged: The scene is enlarged so many times first.
    """

    summary: str
    blur: Blur | None
    scene: Literal["photo", "text", "codes", "night"] = "photo"
    noise: Literal["ordinary", "strong"] = "ordinary"
    file: Literal["mixed", "png", "jpeg", "jpeg-30"] = "mixed"
    overlay: bool = False
    enlarged: int = 1


@dataclass(frozen=True)
class MadePhoto:
    """A photo of a kind with its truth.

    Attributes:
        pair: Blurry photo on the 256 levels of a file, the sharp one without noise, and the kernel where there is one.
        jpeg_quality: Quality of the JPEG file; 0: the photo is stored without loss.
    """

    pair: Pair
    jpeg_quality: int


def photo_kinds(root: Path) -> Mapping[str, PhotoKind]:
    """All kinds by name.

    Args:
        root: Folder of the data sets, for the recordings of gyroscopes (`kernels/gyro`).
    """
    recordings = set_folder(root, "kernels/gyro")
    return {
        "sharp-png": PhotoKind("sharp, kept without loss", None, file="png"),
        "sharp-jpeg": PhotoKind("sharp, JPEG", None, file="jpeg"),
        "shake-5-15": PhotoKind("camera shake within 5 to 15 px", shake(5, 15)),
        "shake-15-31": PhotoKind("camera shake within 15 to 31 px", shake(15, 31)),
        "shake-31-75": PhotoKind("camera shake within 31 to 75 px", shake(31, 75)),
        "shake-turning": PhotoKind("camera shake with roll: the kernel varies", turning_shake(recordings)),
        "line-2-5": PhotoKind("slight straight motion, 2 to 5 px", line(2, 5)),
        "line-5-15": PhotoKind("straight motion, 5 to 15 px", line(5, 15)),
        "line-15-45": PhotoKind("straight motion, 15 to 45 px", line(15, 45)),
        "disk-2-4": PhotoKind("out of focus, radius 2 to 4 px", defocus(2, 4)),
        "disk-4-10": PhotoKind("out of focus, radius 4 to 10 px", defocus(4, 10)),
        "gaussian-1-4": PhotoKind("Gaussian blur, sigma 1 to 4 px", gaussian(1, 4)),
        "moving": PhotoKind("one moving object before a sharp background", moving_object(0)),
        "moving-shaken": PhotoKind("one moving object before a shaken background", moving_object(12)),
        "text": PhotoKind("a page of text, straight motion of 5 to 12 px", line(5, 12), scene="text"),
        "lamps": PhotoKind("night with clipped lamps, shake within 11 to 31 px", shake(11, 31), scene="night"),
        "overlay": PhotoKind("shake of 11 to 25 px under stamps, bars, frames", shake(11, 25), overlay=True),
        "noise": PhotoKind("shake of 9 to 21 px with strong noise", shake(9, 21), noise="strong"),
        "jpeg-30": PhotoKind("shake of 9 to 21 px, JPEG of quality 30", shake(9, 21), file="jpeg-30"),
    }


def large_photo_kinds() -> Mapping[str, PhotoKind]:
    """Kinds of photos of several megapixels by name; extents are in their pixels."""
    return {
        "sharp-large": PhotoKind("sharp, enlarged", None, enlarged=_ENLARGED),
        "shake-15-45": PhotoKind("camera shake within 15 to 45 px", shake(15, 45), enlarged=_ENLARGED),
        "shake-45-93": PhotoKind("camera shake within 45 to 93 px", shake(45, 93), enlarged=_ENLARGED),
        "shake-93-225": PhotoKind("camera shake within 93 to 225 px", shake(93, 225), enlarged=_ENLARGED),
        "line-15-135": PhotoKind("straight motion, 15 to 135 px", line(15, 135), enlarged=_ENLARGED),
        "disk-6-30": PhotoKind("out of focus, radius 6 to 30 px", defocus(6, 30), enlarged=_ENLARGED),
    }


def photos_suite(root: Path) -> PairedSet:
    """The suite `photos`: each of the 24 Kodak photos in every kind, one after the other; the same pairs each time.

    Raises:
        DataError: The photos or the recordings are missing.
    """
    return _suite_of(photo_kinds(root), root)


def large_photos_suite(root: Path) -> PairedSet:
    """The suite `photos-large`: each of the 24 Kodak photos enlarged to 3.5 megapixels, in every kind for such.

    They are as soft as photos of phones often are: there is no detail finer than three pixels.

    Raises:
        DataError: The photos are missing.
    """
    return _suite_of(large_photo_kinds(), root)


def _suite_of(kinds: Mapping[str, PhotoKind], root: Path) -> PairedSet:
    pairs: list[tuple[str, Loader]] = []
    for path in kodak(root).paths:
        for name, kind in kinds.items():
            full = f"{name}/{path.stem}"
            pairs.append((full, partial(_read_and_make, full, path, kind)))
    return PairedSet(pairs, blurs=len(kinds))


def make_photo(photo: Tensor, kind: PhotoKind, seed: int, *, name: str = "", size: int | None = None) -> MadePhoto:
    """A photo of a kind.

    Args:
        photo: Sharp, `(1, 3, H, W)` in [0, 1], sRGB-encoded.
        kind: What is made of it.
        seed: Seed of everything that is drawn.
        name: Name of the pair.
        size: About the side of the crop it is made from, without what the blur draws from outside; None: all.
    """
    generator = torch.Generator().manual_seed(seed)
    if kind.enlarged > 1:
        photo = functional.interpolate(photo, scale_factor=kind.enlarged, mode="bicubic").clamp(0, 1)
    stored = cut_window(photo, size, 0 if kind.blur is None else _MARGIN, generator)
    scene = _scene(srgb_to_linear(stored), kind, generator)
    exposed = Exposed(scene) if kind.blur is None else kind.blur(scene, generator)
    rows, columns = exposed.crop
    truth = scene[..., rows : scene.shape[-2] - rows, columns : scene.shape[-1] - columns]
    sharp = linear_to_srgb(truth.clamp(0, 1))
    quality = _draw_quality(kind, generator)
    blurry, sharp = _photograph(exposed.image, sharp, kind, quality, generator)
    return MadePhoto(Pair(name, blurry, sharp, exposed.kernel, "auto"), quality)


def _scene(photo: Tensor, kind: PhotoKind, generator: torch.Generator) -> Tensor:
    if kind.scene == "text":
        return text_page((photo.shape[-2], photo.shape[-1]), generator)
    if kind.scene == "codes":
        return code_page((photo.shape[-2], photo.shape[-1]), generator)
    return add_lamps(photo, generator) if kind.scene == "night" else photo


def _photograph(
    light: Tensor, sharp: Tensor, kind: PhotoKind, quality: int, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """The blurry photo as its file holds it, and the truth, both under the overlay."""
    strong = kind.noise == "strong"
    photons = uniform(*(_FEW_PHOTONS if strong else _ORDINARY_PHOTONS), generator)
    read_noise = uniform(*(_HIGH_READ_NOISE if strong else _ORDINARY_READ_NOISE), generator)
    if kind.blur is None:
        photons = read_noise = 0.0  # the noise of a sharp photo is its own
    plain = Synthesis(GaussianBlur(), Sensor(photons=photons, noise_sigma=read_noise), "linear")
    blurry, sharp = simulate_camera(light, sharp, plain, generator)
    if kind.overlay:
        seed = int(uniform(0, 2**31, generator))
        over = OVERLAYS[seed % len(OVERLAYS)]
        blurry, sharp = (lay_over(one, over, torch.Generator().manual_seed(seed)) for one in (blurry, sharp))
    if quality:
        stored = Synthesis(GaussianBlur(), Sensor(jpeg_quality=quality), "encoded")
        blurry, _ = simulate_camera(blurry, blurry, stored, generator)
    return blurry, sharp


def _draw_quality(kind: PhotoKind, generator: torch.Generator) -> int:
    """0: without loss."""
    share, quality = uniform(0, 1, generator), round(uniform(*_QUALITIES, generator))
    if kind.file == "jpeg-30":
        return 30
    lossless = kind.file == "png" or (kind.file == "mixed" and share < _KEPT_WITHOUT_LOSS)
    return 0 if lossless else quality


def _read_and_make(name: str, path: Path, kind: PhotoKind) -> Pair:
    [photo] = PhotoSet([path])
    made = make_photo(photo, kind, seed_for(0, name), name=name)
    # What `restore` takes for granted of a JPEG file.
    return replace(made.pair, encoding="linear") if made.jpeg_quality else made.pair
