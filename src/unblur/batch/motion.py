"""The motion that a method found, as numbers and as pictures in a folder."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from unblur.images.files import write_image
from unblur.images.motion_pictures import draw_arrows, draw_wheel
from unblur.images.picture import Picture
from unblur.images.working import to_working
from unblur.system.atomic import atomic_write

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["save_motion"]


def save_motion(motion_field: Tensor, folder: Path, name: str, photo: Picture, *, overwrite: bool) -> None:
    """Write `NAME.motion.npy`, `NAME.motion.png` (directions as colours) and `NAME.arrows.png` (over the photo).

    Args:
        motion_field: `(1, 2, H, W)`, (right, down) in pixels over the exposure; the array in the file is `(2, H, W)`.
        folder: It exists.
        name: Of the photo.
        photo: What lies under the arrows.
        overwrite: Replace files of those names.

    Raises:
        WriteError: A name is taken.
        OutputError: The folder cannot be written to.
    """
    field = motion_field[0].detach().cpu().numpy().astype(np.float32)
    file = io.BytesIO()
    np.save(file, field, allow_pickle=False)
    atomic_write(folder / f"{name}.motion.npy", file.getvalue(), overwrite=overwrite)
    across = np.ascontiguousarray(field.transpose(1, 2, 0))
    shown = np.broadcast_to(np.round(255 * to_working(photo)).astype(np.uint8), (*across.shape[:2], 3))
    for kind, pixels in (("motion", draw_wheel(across)), ("arrows", draw_arrows(np.ascontiguousarray(shown), across))):
        write_image(Picture(pixels, "rgb"), folder / f"{name}.{kind}.png", format="png", overwrite=overwrite)
