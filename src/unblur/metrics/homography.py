"""Alignment by a gain and a homography: the protocol of the RealBlur evaluation.

Rim, Lee, Won, Cho, "Real-world blur dataset for learning and benchmarking deblurring algorithms", ECCV 2020, and the
script that later papers share: the two cameras of a pair see the scene a little differently and expose differently.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from unblur.errors import ImageError
from unblur.metrics.aligned_pair import AlignedPair
from unblur.metrics.luma import luma_full_range
from unblur.system.extras import import_extra

__all__ = ["align_by_homography"]

_STEPS = 100
_BLUR_FOR_ECC = 5


def align_by_homography(restored: Float[Tensor, "b c h w"], sharp: Float[Tensor, "b c h w"]) -> AlignedPair:
    """The restored image scaled and warped onto the truth, with a mask of the pixels that it covers.

    Gain `sum(sharp restored) / sum(restored^2)`; homography that maximises the enhanced correlation coefficient of the
    grey images (100 steps from the identity, both smoothed over 5 pixels), sampled bicubically with a mirrored border.

    Args:
        restored: [0, 1].
        sharp: [0, 1].

    Raises:
        MissingExtraError: opencv is not installed.
        ImageError: No homography is found.
    """
    cv2 = import_extra("cv2", "the protocol realblur")
    pairs = [_align_one(cv2, r, s) for r, s in zip(restored, sharp, strict=True)]
    return AlignedPair(*(torch.stack(part) for part in zip(*pairs, strict=True)))


def _align_one(cv2: Any, restored: Tensor, sharp: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    gain = (sharp.double() * restored.double()).sum() / restored.double().square().sum()
    scaled = restored.float() * gain.float()
    warp = _find_warp(cv2, _grey(scaled), _grey(sharp))
    height, width = sharp.shape[-2:]
    inverse = cv2.WARP_INVERSE_MAP
    warped = cv2.warpPerspective(
        _interleaved(scaled), warp, (width, height), flags=cv2.INTER_CUBIC | inverse, borderMode=cv2.BORDER_REFLECT
    ).reshape(height, width, -1)
    mask = cv2.warpPerspective(
        np.ones((height, width), np.float32), warp, (width, height), flags=cv2.INTER_NEAREST | inverse
    )
    inside = torch.from_numpy(mask).to(sharp.device)[None]
    answer = torch.from_numpy(np.ascontiguousarray(warped.transpose(2, 0, 1))).to(sharp.device)
    return answer * inside, sharp.float() * inside, _shift_of_centre(warp, height, width), inside


def _find_warp(cv2: Any, moving: NDArray[np.float32], fixed: NDArray[np.float32]) -> NDArray[np.float32]:
    """Where each pixel of the fixed image lies in the moving one, as a 3x3 matrix."""
    criteria = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, _STEPS, 0)
    start = np.eye(3, dtype=np.float32)
    try:
        _, warp = cv2.findTransformECC(
            fixed, moving, start, cv2.MOTION_HOMOGRAPHY, criteria, None, _BLUR_FOR_ECC
        )  # fmt: skip
    except cv2.error as error:
        raise ImageError("cannot be aligned with its truth: no homography fits (protocol realblur)") from error
    return warp


def _grey(image: Tensor) -> NDArray[np.float32]:
    return np.ascontiguousarray(luma_full_range(image[None].float())[0, 0].cpu().numpy())


def _interleaved(image: Tensor) -> NDArray[np.float32]:
    return np.ascontiguousarray(image.cpu().numpy().transpose(1, 2, 0))


def _shift_of_centre(warp: NDArray[np.float32], height: int, width: int) -> Tensor:
    centre = np.array([(width - 1) / 2, (height - 1) / 2, 1.0])
    x, y, scale = warp.astype(np.float64) @ centre
    return torch.tensor([x / scale - centre[0], y / scale - centre[1]], dtype=torch.float64)
