"""Measures of a photo and of an answer to it that tell, without the truth, how much the answer gained.

The same numbers are learned from and judged by, so each has a name, and `MEASURES` has their order.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812 - the name that everyone gives it
from jaxtyping import Float
from torch import Tensor

from unblur.blur.convolve import convolve
from unblur.blur.kernels import kernel_axes
from unblur.images.neighbourhoods import largest_around
from unblur.images.tensors import linear_to_srgb, srgb_to_linear
from unblur.methods.kernel_search.answer_quality import judge
from unblur.methods.kernel_search.cepstrum import log_spectrum, spectral_match
from unblur.methods.kernel_search.search import Candidate
from unblur.methods.options import BlurEncoding
from unblur.methods.transforms import Encode
from unblur.metrics.kernel import kernel_similarity_upto_shift
from unblur.solvers.photo import estimate_noise, restore_with_kernel
from unblur.system.threads import Job, run_side_by_side

__all__ = [
    "MEASURES",
    "AnswerMeasures",
    "PhotoMeasures",
    "measure_blur_effect",
    "measure_gradient_sparsity",
    "measure_lag",
    "measure_photo",
    "tiles_of",
]

_TILES = 3
_BLUR_WINDOW = 11
_NEAR = 7
_CLIPPED = 0.995
_SIMILAR = 0.9
_LEAST = 1e-4
_NARROWEST = 0.01
_DEFOCUS = ("disk", "gaussian")
"""Origins of kernels without a direction; their spread tells them apart."""

Grey = Float[Tensor, "1 1 h w"]

_OF_PHOTO = (
    "blur_effect", "sharpest_tile", "softest_tile", "log_noise", "jpeg", "sparsity", "clipped", "flat", "log_contrast",
)  # fmt: skip
_OF_ANSWER = (
    "linear", "score", "answer_sparsity", "log_misfit", "colour", "unexplained", "noise_share", "log_unremoved",
    "gain_over_impulse", "least_tile_gain", "mean_tile_gain", "log_overshoot", "log_local_overshoot", "log_change",
    "change_lag", "answer_blur_effect", "log_extent", "log_spread", "log_narrow_spread", "kernel_peak",
    "kernel_filled", "agreement", "agreeing", "residual_spread", "log_residual_worst", "spectral_match",
    "line", "disk", "streak",
)  # fmt: skip
MEASURES = (*_OF_PHOTO, *_OF_ANSWER)
"""Names of all measures, in the order in which a judge is given them."""


@dataclass(frozen=True)
class PhotoMeasures:
    """A photo's brightness and what was measured of it alone.

    Attributes:
        grey: sRGB-encoded, in [0, 1].
        values: The measures by name.
    """

    grey: Grey
    values: Mapping[str, float]


def measure_photo(grey: Grey, jpeg_coarseness: float) -> PhotoMeasures:
    """The measures of the photo, or a part of it, alone.

    Args:
        grey: Brightness, sRGB-encoded, in [0, 1]; more than 32 pixels a side.
        jpeg_coarseness: Coarseness of the whole photo, see `estimate_jpeg_coarseness`.
    """
    effects = [measure_blur_effect(tile) for tile in tiles_of(grey)]
    right, down = torch.diff(grey, dim=-1), torch.diff(grey, dim=-2)
    return PhotoMeasures(
        grey,
        {
            "blur_effect": measure_blur_effect(grey),
            "sharpest_tile": min(effects),
            "softest_tile": max(effects),
            "log_noise": math.log(estimate_noise(grey)),
            "jpeg": jpeg_coarseness,
            "sparsity": measure_gradient_sparsity(grey),
            "clipped": float((grey >= _CLIPPED).float().mean()),
            "flat": float(((right[..., :-1, :] == 0) & (down[..., :, :-1] == 0)).float().mean()),
            "log_contrast": math.log(max(float(grey.std()), _LEAST)),
        },
    )


class AnswerMeasures:
    """Measures answers to one photo; what was measured of a kernel is kept, for more may join those that compete.

    Args:
        photo: What `measure_photo` returned.
    """

    def __init__(self, photo: PhotoMeasures) -> None:
        self.photo = photo
        self._alone: dict[int, tuple[Candidate, dict[str, float]]] = {}
        self._impulses: dict[BlurEncoding, Tensor] = {}
        self._spectra: dict[BlurEncoding, Tensor] = {}

    def measure(self, candidates: Sequence[Candidate], besides: Sequence[Candidate] = ()) -> list[dict[str, float]]:
        """The measures of each answer, with those of the photo; in the order of the candidates.

        Args:
            candidates: How far a kernel agrees with those that were searched is a measure, so all that compete are
                given at once.
            besides: Others that were searched, which do not compete.
        """
        searched = [candidate for candidate in (*candidates, *besides) if candidate.origin == "search"]
        self._measure_new(candidates)
        return [{**self.photo.values, **self._alone[id(one)][1], **_agreement(one, searched)} for one in candidates]

    def _measure_new(self, candidates: Sequence[Candidate]) -> None:
        new = [one for one in candidates if id(one) not in self._alone]
        encodings: set[BlurEncoding] = {one.encoding for one in new}
        for encoding in encodings - set(self._impulses):
            self._impulses[encoding] = _restore(self.photo, _impulse(self.photo.grey), encoding)
            self._spectra[encoding] = log_spectrum(Encode(encoding).forward(self.photo.grey))

        def job_for(candidate: Candidate) -> Job[dict[str, float]]:
            return lambda _: self._measure_answer(candidate)

        # Kept with its candidate, so that no other can have its identity.
        for candidate, values in zip(new, run_side_by_side(job_for(one) for one in new), strict=True):
            self._alone[id(candidate)] = candidate, values

    def _measure_answer(self, candidate: Candidate) -> dict[str, float]:
        kernel, encoding = candidate.kernel, candidate.encoding
        answer = _restore(self.photo, kernel, encoding)
        return {
            **_of_image(self.photo.grey, answer, self._impulses[encoding]),
            **_of_evidence(self.photo.grey, kernel, answer, encoding),
            **_of_kernel(kernel),
            "spectral_match": spectral_match(self._spectra[encoding], kernel),
            "line": float(candidate.origin == "line"),
            "disk": float(candidate.origin in _DEFOCUS),
            "streak": float(candidate.origin == "streak"),
        }


def _agreement(candidate: Candidate, searched: Sequence[Candidate]) -> dict[str, float]:
    others = [
        float(kernel_similarity_upto_shift(candidate.kernel, other.kernel))
        for other in searched
        if other is not candidate
    ]
    return {
        "agreement": max(others, default=0.0),
        "agreeing": sum(value > _SIMILAR for value in others) / max(len(others), 1),
    }


def measure_blur_effect(grey: Grey) -> float:
    """How little a photo changes when it is blurred: 0 is sharp, 1 is blurred (Crete et al., SPIE 2007)."""
    return max(_blur_effect_along(grey), _blur_effect_along(grey.transpose(-2, -1)))


def _blur_effect_along(grey: Tensor) -> float:
    if min(grey.shape[-2:]) <= 2:
        return 1.0
    reach = _BLUR_WINDOW // 2
    smooth = F.avg_pool2d(F.pad(grey, (reach, reach, 0, 0), mode="replicate"), (1, _BLUR_WINDOW), 1)
    own, blurred = torch.diff(grey, dim=-1).abs(), torch.diff(smooth, dim=-1).abs()
    total = float(own.sum())
    return 1 - float((own - blurred).clamp_min(0).sum()) / max(total, 1e-9)


def _of_image(grey: Tensor, answer: Tensor, impulse: Tensor) -> dict[str, float]:
    change = answer.clamp(0, 1) - grey
    both = zip(tiles_of(impulse), tiles_of(answer), strict=True)
    gains = [measure_gradient_sparsity(before) - measure_gradient_sparsity(after) for before, after in both]
    beyond = (answer - answer.clamp(0, 1)).abs()
    lowest, highest = -largest_around(-grey, _NEAR), largest_around(grey, _NEAR)
    local = (answer - highest).clamp_min(0) + (lowest - answer).clamp_min(0)
    return {
        "gain_over_impulse": measure_gradient_sparsity(impulse) - measure_gradient_sparsity(answer),
        "least_tile_gain": min(gains),
        "mean_tile_gain": sum(gains) / len(gains),
        "log_overshoot": _log(beyond.square().mean().sqrt()),
        "log_local_overshoot": _log(local.square().mean().sqrt()),
        "log_change": _log(change.square().mean().sqrt()),
        "change_lag": measure_lag(change),
        "answer_blur_effect": measure_blur_effect(answer.clamp(0, 1)),
    }


def _of_evidence(grey: Tensor, kernel: Tensor, answer: Tensor, encoding: BlurEncoding) -> dict[str, float]:
    judgement = judge(grey, kernel, answer, encoding)
    residual = _reblur(answer, kernel, encoding) - grey
    errors = [float(tile.square().mean().sqrt()) for tile in tiles_of(residual)]
    mean = sum(errors) / len(errors)
    return {
        "linear": float(encoding == "linear"),
        "score": judgement.score,
        "answer_sparsity": judgement.sparsity,
        "log_misfit": math.log(max(judgement.misfit, _LEAST)),
        "colour": judgement.colour,
        "unexplained": judgement.unexplained,
        "noise_share": judgement.noise_share,
        "log_unremoved": math.log(max(judgement.unremoved, _LEAST)),
        "residual_spread": max(errors) / max(mean, _LEAST),
        "log_residual_worst": math.log(max(*errors, _LEAST)),
    }


def _of_kernel(kernel: Tensor) -> dict[str, float]:
    across, along, _ = kernel_axes(kernel)
    weights = kernel[0, 0] / kernel.sum()
    return {
        "log_extent": math.log(kernel.shape[-1]),
        "log_spread": math.log(max(along, _NARROWEST)),
        "log_narrow_spread": math.log(max(across, _NARROWEST)),
        "kernel_peak": float(weights.max()),
        "kernel_filled": float(1 / weights.square().sum()) / weights.numel(),
    }


def _restore(photo: PhotoMeasures, kernel: Tensor, encoding: BlurEncoding) -> Tensor:
    return restore_with_kernel(photo.grey, kernel, encoding=encoding, jpeg_coarseness=photo.values["jpeg"], quick=True)


def _reblur(answer: Tensor, kernel: Tensor, encoding: BlurEncoding) -> Tensor:
    if encoding == "encoded":
        return convolve(answer, kernel, "replicate")
    return linear_to_srgb(convolve(srgb_to_linear(answer.clamp(0, 1)), kernel, "replicate"))


def measure_gradient_sparsity(image: Tensor) -> float:
    """L1 over L2 norm of the gradients."""
    right, down = torch.diff(image, dim=-1), torch.diff(image, dim=-2)
    spread = (right.square().mean() + down.square().mean()).sqrt().clamp_min(1e-6)
    return float((right.abs().mean() + down.abs().mean()) / spread)


def measure_lag(image: Tensor) -> float:
    """Correlation of neighbouring pixels: 0 for noise, 1 for what is smooth."""
    centred = image - image.mean()
    lag = (centred[..., 1:] * centred[..., :-1]).mean() + (centred[..., 1:, :] * centred[..., :-1, :]).mean()
    return float(lag / 2 / centred.square().mean().clamp_min(1e-9))


def tiles_of(image: Tensor) -> list[Tensor]:
    """Nine parts of the image, in rows."""
    return [part for row in image.tensor_split(_TILES, -2) for part in row.tensor_split(_TILES, -1)]


def _impulse(like: Tensor) -> Tensor:
    kernel = torch.zeros(1, 1, 3, 3, dtype=like.dtype, device=like.device)
    kernel[..., 1, 1] = 1
    return kernel


def _log(value: Tensor) -> float:
    return math.log(max(float(value), _LEAST))
