"""Endless training samples for blur that varies over the image: made from sharp photos, or cut from true pairs.

Sample n of a stream is the same whenever and wherever it is asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - the name that everyone gives it
from torch import Tensor

from unblur.datasets.blur_settings import Encoding, FrameAverage, Sensor, Synthesis, find_kind
from unblur.datasets.camera import simulate_camera
from unblur.datasets.catalog import open_dataset
from unblur.datasets.folders import find_folder
from unblur.datasets.frames import average_frames, curve_of, read_frames
from unblur.datasets.pairs import PairedSet
from unblur.datasets.photos import photo_paths
from unblur.datasets.sampling import DecodedPhotos, draw, generator_for, random_crop
from unblur.datasets.synthesis import make_pair
from unblur.errors import DataError, SettingsError
from unblur.images.tensors import srgb_to_linear, turned

__all__ = ["BlurPart", "PairCropStream", "SceneStream"]

_KINDS_WITH_LINES = ("linear", "motion-field", "dynamic", "none")
_KINDS_OF_ONE_PHOTO = ("frames", "none")
"""Kinds that are not drawn apart from the photo, so that no other photo can have the same blur."""


@dataclass(frozen=True)
class BlurPart:
    """One kind of blur in a mixture.

    Attributes:
        kind: A kind of blur of photos (see `datasets.blur_settings`), `frames`, or `none`: sharp input and output.
        share: Its share of the samples, relative to the other parts.
        blur: Settings of the kind by name.
    """

    kind: str
    share: float = 1.0
    blur: dict[str, Any] = field(default_factory=dict[str, Any])


class SceneStream:
    """Crops of sharp photos under a mixture of blurs, at times with shot noise.

    Photos are kept in memory once decoded, one byte a value.

    Args:
        photos: Folders of sharp photos, colour.
        parts: The mixture.
        size: Side of the crops in pixels.
        photons: Fewest and most photons at full intensity, drawn uniformly.
        noise_share: Share of the samples with shot noise.
        frames: Folder of consecutive frames, for parts of the kind `frames`.
        encoding: Encoding in which photos are blurred, see `datasets.blur_settings.Synthesis`.
        enlarged: Photos are enlarged by a factor between these first: frames of videos are softer than photos.
        lines: Also return the straight line that each pixel is blurred along; all parts must be of kinds that have it.
        partners: Also return another photo under the same blur; no part may be `frames` or `none`.
        seed: Another seed is another stream.

    Raises:
        SettingsError: A part of no known kind, a setting it does not have, one without lines where they are asked for,
            shares that are not positive in sum, or photos are not enlarged but made smaller.
        DataError: A folder is missing or holds no image.
    """

    def __init__(
        self,
        photos: Sequence[str],
        parts: Sequence[BlurPart],
        *,
        size: int = 96,
        photons: tuple[float, float] = (5_000.0, 50_000.0),
        noise_share: float = 0.5,
        frames: str = "",
        encoding: Encoding = "linear",
        enlarged: tuple[float, float] = (1.0, 1.0),
        lines: bool = False,
        partners: bool = False,
        seed: int = 0,
    ) -> None:
        for part in parts:
            if lines and part.kind not in _KINDS_WITH_LINES:
                known = ", ".join(_KINDS_WITH_LINES)
                raise SettingsError(
                    f"blur of the kind {part.kind} has no line for each pixel; kinds that have: {known}"
                )
            if partners and part.kind in _KINDS_OF_ONE_PHOTO:
                raise SettingsError(f"blur of the kind {part.kind} cannot be given to a partner; leave the part out")
        self.encoding: Encoding = encoding
        self.lines, self.partners = lines, partners
        self.paths = photo_paths(photos)
        self.parts = [(part, _blur_of(part)) for part in parts]
        if any(part.share < 0 for part in parts) or not sum(part.share for part in parts) > 0:
            raise SettingsError("the shares of a mixture are 0 or more, and not all 0")
        if not 1 <= enlarged[0] <= enlarged[1]:
            raise SettingsError(f"photos are enlarged by factors from 1 on, the smaller one first; not by {enlarged}")
        self.size, self.photons, self.noise_share, self.seed = size, photons, noise_share, seed
        self.enlarged = enlarged
        self._frames = _bytes_of_frames(frames) if frames else []
        self._photos = DecodedPhotos(lambda photo: photo.expand(-1, 3, -1, -1))

    def sample(self, index: int) -> dict[str, Tensor]:
        """Sample number `index`: `blurry` and `sharp`, each `(3, size, size)`.

        With lines, `lines` `(2, size, size)` beside them, (right, down) in pixels; with partners, `other_blurry` and
        `other_sharp`, of another photo at the same relative place.

        Raises:
            ReadError: The photo that was drawn cannot be read; the message names it.
        """
        generator = generator_for(self.seed, index)
        blur = self._draw_blur(generator)
        make = self._from_frames if isinstance(blur, FrameAverage) else self._from_photo
        images = make(blur, generator)
        turns, mirrored = draw(4, generator), draw(2, generator)
        sample = {name: turned(image[0], turns, bool(mirrored)) for name, image in images.items()}
        return sample | {"lines": _turned_vectors(sample["lines"], turns, mirrored)} if self.lines else sample

    def _draw_blur(self, generator: torch.Generator) -> Any:
        shares = torch.tensor([part.share for part, _ in self.parts], dtype=torch.float32)
        return self.parts[int(torch.multinomial(shares, 1, generator=generator))][1]

    def _from_photo(self, blur: Any, generator: torch.Generator) -> dict[str, Tensor]:
        photo = self._draw_photo(generator)
        synthesis = Synthesis(blur, self._sensor(generator), encoding=self.encoding, size=self.size)
        if blur is None:
            crop = random_crop((photo,), self.size, generator)[0]
            scene = srgb_to_linear(crop) if self.encoding == "linear" else crop
            blurry, sharp = simulate_camera(scene, crop, synthesis, generator)
            return self._with_lines({"blurry": blurry, "sharp": sharp}, torch.zeros_like(sharp[:, :2]))
        seed = draw(2**31, generator)
        made = make_pair(photo, synthesis, seed)
        images = self._with_lines({"blurry": made.pair.blurry, "sharp": made.pair.sharp}, made.lines())
        if not self.partners:
            return images
        other = make_pair(self._draw_photo(generator), synthesis, seed).pair
        return images | {"other_blurry": other.blurry, "other_sharp": other.sharp}

    def _draw_photo(self, generator: torch.Generator) -> Tensor:
        photo = self._photos[self.paths[draw(len(self.paths), generator)]]
        low, high = self.enlarged
        if high == 1:
            return photo
        factor = low + (high - low) * float(torch.rand((), generator=generator))
        return F.interpolate(photo, scale_factor=factor, mode="bicubic", antialias=True).clamp(0, 1)

    def _with_lines(self, images: dict[str, Tensor], lines: Tensor | None) -> dict[str, Tensor]:
        return images | {"lines": lines} if self.lines and lines is not None else images

    def _from_frames(self, blur: FrameAverage, generator: torch.Generator) -> dict[str, Tensor]:
        if len(self._frames) < blur.count:
            raise DataError(f"there are {len(self._frames)} frames; an exposure is made of {blur.count}")
        first = draw(len(self._frames) - blur.count + 1, generator)
        crops = random_crop(self._frames[first : first + blur.count], self.size, generator)
        frames = [crop.float() / 255 for crop in crops]
        return {"blurry": average_frames(frames, curve_of(blur)), "sharp": frames[blur.count // 2]}

    def _sensor(self, generator: torch.Generator) -> Sensor:
        noisy, place = torch.rand(2, generator=generator).tolist()
        fewest, most = self.photons
        return Sensor(photons=fewest + (most - fewest) * place) if noisy < self.noise_share else Sensor()


class PairCropStream:
    """Crops of the pairs of a data set, mirrored at random in both directions and, if asked for, transposed.

    Args:
        dataset: A data set with pairs, such as `gopro`; `unblur data list` shows them.
        root: Folder with the data set in it; empty: the variable UNBLUR_DATA.
        split: Part of the data set; empty: its usual one.
        size: Side of the crops in pixels.
        transpose: Rows become columns in half of the samples.
        leave_out: Beginnings of the names of pairs that are not trained on, such as `["000/"]`.
        seed: Another seed is another stream.

    Raises:
        DataError: The data set is missing or incomplete, or nothing is left of it.
    """

    def __init__(
        self,
        dataset: str,
        *,
        root: str = "",
        split: str = "",
        size: int = 256,
        transpose: bool = False,
        leave_out: Sequence[str] = (),
        seed: int = 0,
    ) -> None:
        self.pairs: PairedSet = open_dataset(dataset, Path(root) if root else None, split or None)
        self.places = [place for place, name in enumerate(self.pairs.names) if not name.startswith(tuple(leave_out))]
        if not self.places:
            raise DataError(f"no pair of {dataset} is left; leave_out names them all")
        self.size, self.transpose, self.seed = size, transpose, seed

    def sample(self, index: int) -> dict[str, Tensor]:
        """Sample number `index`: `blurry` and `sharp`, each `(C, size, size)`.

        Raises:
            ReadError: The pair that was drawn cannot be read; the message names it.
        """
        generator = generator_for(self.seed, index)
        pair = self.pairs[self.places[draw(len(self.places), generator)]]
        crops = random_crop((pair.blurry, pair.sharp), self.size, generator)
        flips = [axis for axis in (-2, -1) if draw(2, generator)]
        turned = self.transpose and draw(2, generator)
        blurry, sharp = (crop[0].flip(flips) for crop in crops)
        return {"blurry": blurry.mT, "sharp": sharp.mT} if turned else {"blurry": blurry, "sharp": sharp}


def _blur_of(part: BlurPart) -> Any:
    if part.kind == "none":
        return None
    try:
        return find_kind(part.kind)(**part.blur)
    except TypeError:
        names = ", ".join(part.blur)
        raise SettingsError(f"the blur {part.kind} cannot be made of these settings: {names}") from None


def _bytes_of_frames(folder: str) -> list[Tensor]:
    return [frame.mul(255).round().byte() for _, frame in read_frames(find_folder(folder))]


def _turned_vectors(vectors: Tensor, quarter_turns: int, mirrored: int) -> Tensor:
    """(right, down) after the places were `turned`: a quarter turn makes right up, and down right."""
    right, down = vectors
    for _ in range(quarter_turns):
        right, down = down, -right
    return torch.stack((-right if mirrored else right, down))
