"""Endless training samples from sharp photos: sample n is the same whenever and wherever it is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any, cast

import torch
from torch import Tensor
from torch.nn import functional

from unblur.blur.kernels import fit_box
from unblur.datasets.blur_settings import Encoding, Sensor, Synthesis, find_kind
from unblur.datasets.photos import photo_paths
from unblur.datasets.sampling import DecodedPhotos, draw, generator_for
from unblur.datasets.synthesis import make_pair
from unblur.errors import SettingsError
from unblur.images.tensors import BT709, brightness, turned

__all__ = ["UniformBlurStream"]

_TRIES = 10
_KINDS = ("linear", "shake", "defocus", "gaussian")


class UniformBlurStream:
    """Patches of sharp photos under one kernel each.

    A patch with few edges does not show its blur and is drawn again. Photos are kept in memory once decoded, one byte
    a value.

    Args:
        photos: Folders of sharp photos.
        kind: Kind of blur, one of those with a kernel: `linear`, `shake`, `defocus`, `gaussian`.
        blur: Its settings by name.
        size: Side of the blurry patch in pixels.
        margin: Pixels by which the sharp patch is larger on each side.
        kernel_box: Odd side that kernels are padded to.
        grey: One channel instead of three.
        encoding: Encoding in which the blur takes place.
        noise: Least and largest standard deviation of the noise, drawn uniformly.
        jpeg: Lowest and highest quality of a JPEG that the blurry patch may go through.
        jpeg_share: Share of the patches that do.
        seed: Another seed is another stream.
    """

    def __init__(
        self,
        photos: Sequence[str],
        kind: str = "linear",
        blur: dict[str, Any] | None = None,
        *,
        size: int = 256,
        margin: int = 8,
        kernel_box: int = 45,
        grey: bool = True,
        encoding: Encoding = "encoded",
        noise: tuple[float, float] = (0.0, 0.0),
        jpeg: tuple[int, int] = (80, 98),
        jpeg_share: float = 0.0,
        seed: int = 0,
    ) -> None:
        if kind not in _KINDS:
            find_kind(kind)
            raise SettingsError(f"the blur {kind} differs within the photo, so there is no kernel to learn")
        self.synthesis = Synthesis(_blur_settings(kind, blur or {}), encoding=encoding, size=size + 2 * margin)
        if getattr(self.synthesis.blur, "kernel_size", 0) > kernel_box:
            raise SettingsError(f"kernels of this stream lie in a box of {kernel_box} pixels; lower kernel_size")
        self.paths = photo_paths(photos)
        self.margin, self.kernel_box, self.seed = margin, kernel_box, seed
        self.noise, self.jpeg, self.jpeg_share = noise, jpeg, jpeg_share
        self._photos = DecodedPhotos(lambda photo: brightness(photo, BT709) if grey else photo)

    def sample(self, index: int) -> dict[str, Tensor]:
        """Sample number `index`: `blurry` `(c, size, size)`, `sharp` with its margin, `kernel` in its box.

        Raises:
            ReadError: The photo that was drawn cannot be read; the message names it.
        """
        generator = generator_for(self.seed, index)
        photo = self._photos[self.paths[draw(len(self.paths), generator)]]
        synthesis = replace(self.synthesis, sensor=self._sensor(generator))
        pair = make_pair(photo, synthesis, draw(2**31, generator)).pair
        for _ in range(_TRIES):
            if _has_edges(pair.sharp):
                break
            pair = make_pair(photo, synthesis, draw(2**31, generator)).pair
        turns, mirrored = draw(4, generator), draw(2, generator)
        kernel = fit_box(cast("Tensor", pair.kernel), self.kernel_box)
        blurry = pair.blurry[..., self.margin : -self.margin or None, self.margin : -self.margin or None]
        images = {"blurry": blurry, "sharp": pair.sharp, "kernel": kernel}
        return {name: turned(image[0], turns, bool(mirrored)) for name, image in images.items()}

    def _sensor(self, generator: torch.Generator) -> Sensor:
        least, most = self.noise
        noise = least + (most - least) * float(torch.rand((), generator=generator))
        lowest, highest = self.jpeg
        quality = lowest + draw(highest - lowest + 1, generator)
        compressed = float(torch.rand((), generator=generator)) < self.jpeg_share
        return Sensor(noise_sigma=noise, jpeg_quality=quality if compressed else 0)


def _blur_settings(kind: str, values: dict[str, Any]) -> Any:
    settings = find_kind(kind)
    known = [item.name for item in fields(settings)]
    for name in values:
        if name not in known:
            raise SettingsError(f"the blur {kind} has no setting {name!r}; known settings: {', '.join(known)}")
    return settings(**values)


def _has_edges(sharp: Tensor) -> bool:
    """Whether the Prewitt gradient exceeds 0.05 on more than 6% of the pixels."""
    column = torch.tensor([-1.0, 0.0, 1.0]) / 3
    across = column.expand(3, 3)[None, None]
    grey = sharp.mean(1, keepdim=True)
    gradient = torch.hypot(functional.conv2d(grey, across), functional.conv2d(grey, across.mT))
    return float((gradient > 0.05).float().mean()) > 0.06
