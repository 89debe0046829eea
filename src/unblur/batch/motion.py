"""The motion that a method found, as numbers and as pictures."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np

from unblur.images.files import encode_image
from unblur.images.motion_pictures import draw_arrows, draw_wheel
from unblur.images.picture import Picture
from unblur.images.working import to_working

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["encode_motion"]


def encode_motion(motion_field: Tensor, photo: Picture) -> tuple[bytes, bytes, bytes]:
    """Files of the motion: a NumPy array, directions as colours (PNG), and arrows over the photo (PNG).

    Args:
        motion_field: `(1, 2, H, W)`, (right, down) in pixels over the exposure; the array in the file is `(2, H, W)`.
        photo: What lies under the arrows.
    """
    field = motion_field[0].detach().cpu().numpy().astype(np.float32)
    file = io.BytesIO()
    np.save(file, field, allow_pickle=False)
    across = np.ascontiguousarray(field.transpose(1, 2, 0))
    shown = np.broadcast_to(np.round(255 * to_working(photo)).astype(np.uint8), (*across.shape[:2], 3))
    wheel, arrows = (
        encode_image(Picture(pixels, "rgb"), "png")[0]
        for pixels in (draw_wheel(across), draw_arrows(np.ascontiguousarray(shown), across))
    )
    return file.getvalue(), wheel, arrows
