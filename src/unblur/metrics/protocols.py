"""Protocols: cropping and alignment before images are compared. A score without its protocol means nothing."""

from __future__ import annotations

from typing import Literal, get_args

__all__ = ["PROTOCOLS", "Protocol"]

Protocol = Literal["plain", "shift", "wide-shift", "gopro", "realblur", "kohler"]
"""Cropping, alignment and SSIM of a pair; PSNR is over all channels with data range 1 under each.

`"plain"`: the whole frame as it is; SSIM Gaussian, valid.
`"shift"`: 15 pixels of border dropped, best of the quarter-pixel shifts (Levin, Lai); SSIM Gaussian, valid, of grey
images after subsampling to about 256 pixels.
`"wide-shift"`: the same after a whole-pixel shift of up to 40 pixels by phase correlation, for large kernels; SSIM
Gaussian, valid.
`"gopro"`: rounded to 8 bits, whole frame; SSIM as MATLAB's `ssim` of an RGB array (GoPro, HIDE, REDS).
`"realblur"`: gain and ECC homography undone, only where the warped image lies; SSIM Gaussian, valid (RealBlur).
`"kohler"`: gain and shift undone, best of the sharp views along the shake; MS-SSIM in the place of SSIM (Köhler).
"""

PROTOCOLS: tuple[Protocol, ...] = get_args(Protocol)
