"""Colour profiles: which can be used for an image's pixels, and which a PNG can hold."""

from __future__ import annotations

import io
from typing import Any

import pyvips
from PIL import ImageCms

__all__ = ["fits_png", "usable_profile"]

_SPACES = {"grey": "GRAY", "rgb": "RGB", "cmyk": "CMYK"}


def usable_profile(profile: bytes, space: str, notes: list[str]) -> bytes:
    """The profile up to the end that it states; nothing, and a note, where it is damaged or one for other pixels.

    Run in the sandbox alone: littleCMS parses the profile.

    Args:
        profile: ICC profile as the file holds it, perhaps empty.
        space: `Picture.space` of the pixels.
        notes: What a user should know; completed here.
    """
    if not profile:
        return profile
    # Some writers pad the profile, which is harmless until it is written as PNG.
    whole = profile[: int.from_bytes(profile[:4], "big")]
    try:
        parsed: Any = ImageCms.ImageCmsProfile(io.BytesIO(whole))
    except OSError:
        notes.append("the colour profile is damaged and is not kept")
        return b""
    found = str(parsed.profile.xcolor_space).strip()
    if found != _SPACES[space]:
        notes.append(f"the colour profile is one for {found} pixels, which these are not, and is not kept")
        return b""
    return whole


def fits_png(profile: bytes, bands: int) -> bool:
    """Whether a PNG can hold a profile; libpng refuses some that other libraries take.

    Args:
        profile: ICC profile.
        bands: 1 for grey, 3 for RGB.
    """
    image: Any = pyvips.Image.black(1, 1, bands=bands).copy(interpretation="b-w" if bands == 1 else "srgb")
    image.set_type(pyvips.GValue.blob_type, "icc-profile-data", profile)
    try:
        return b"iCCP" in image.pngsave_buffer(keep="icc")
    except pyvips.Error:
        return False
