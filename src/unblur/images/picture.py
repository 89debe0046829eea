"""What a decoded image file is to the rest of the package."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["FileFacts", "Picture", "Space"]

Space = Literal["grey", "rgb", "cmyk"]


@dataclass(frozen=True)
class FileFacts:
    """What a file says beside its pixels, so that a new file can say the same.

    Attributes:
        format: One of `signatures.Format`, or `"raw"`; empty for pixels from memory.
        bits: Bits a sample in the file: 1 to 16, or 32 for floating point.
        palette: The colours came from a palette.
        frames: Frames or pages in the file, of which this is one.
        duration: Milliseconds for which this frame of an animation is shown; 0: not stated.
        loop: How often an animation is shown; 0: for ever.
        icc: Colour profile, byte for byte.
        exif: EXIF block, byte for byte as it was in the file, without the prefix that JPEG puts before it; of a TIFF,
            the same entries gathered into such a block.
        xmp: XMP packet, byte for byte.
        iptc: IPTC block, byte for byte.
        resolution: Pixels per millimetre across and down, where the file states it.
        lossless: The file kept every pixel value exactly.
        subsampled: Chroma was stored at a lower resolution.
        notes: Sentences for the user: what was not kept, what was repaired.
    """

    format: str = ""
    bits: int = 8
    palette: bool = False
    frames: int = 1
    duration: int = 0
    loop: int = 0
    icc: bytes | None = None
    exif: bytes | None = None
    xmp: bytes | None = None
    iptc: bytes | None = None
    resolution: tuple[float, float] | None = None
    lossless: bool = True
    subsampled: bool = False
    notes: tuple[str, ...] = ()

    @property
    def written_as(self) -> str:
        """The format of a file that takes this one's place: its own, or TIFF where cameras alone write it."""
        return "tiff" if self.format == "raw" else self.format


@dataclass(frozen=True)
class Picture:
    """One image: pixels as stored and upright, with the facts of its file.

    Attributes:
        pixels: `(H, W, C)`, `uint8`, `uint16` or `float32`; the colour channels, then alpha if there is one.
            Encoded as the file has them (no conversion of colours); min-is-white and inverted CMYK are undone.
        space: What the colour channels are.
        has_alpha: The last channel is alpha, straight (not premultiplied).
        facts: What the file says beside its pixels. The EXIF orientation is already applied to `pixels`.
    """

    pixels: NDArray[Any]
    space: Space
    has_alpha: bool = False
    facts: FileFacts = field(default_factory=FileFacts)

    @property
    def height(self) -> int:
        """Rows of pixels."""
        return int(self.pixels.shape[0])

    @property
    def width(self) -> int:
        """Pixels in a row."""
        return int(self.pixels.shape[1])

    @property
    def colour(self) -> NDArray[Any]:
        """The colour channels alone, a view `(H, W, 1 | 3 | 4)`."""
        return self.pixels[..., :-1] if self.has_alpha else self.pixels

    @property
    def alpha(self) -> NDArray[Any] | None:
        """The alpha channel, a view `(H, W, 1)`, or None."""
        return self.pixels[..., -1:] if self.has_alpha else None

    def with_colour(self, colour: NDArray[Any]) -> Picture:
        """The same picture with other colour channels; alpha and facts stay."""
        pixels = colour if self.alpha is None else np.concatenate([colour, self.alpha], axis=-1)
        return replace(self, pixels=pixels)
