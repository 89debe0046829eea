"""The metrics that a benchmark can add to its rows, by name. Nothing of a metric is imported before it is used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from unblur.errors import UsageError
from unblur.system.imports import load_object

if TYPE_CHECKING:
    from torch import Tensor

    from unblur.metrics.aligned_pair import AlignedPair

__all__ = ["METRICS", "Better", "Metric", "find_metrics", "measure"]

Better = Literal["higher", "lower"]
"""Which values of a metric are better."""


@dataclass(frozen=True)
class Metric:
    """One metric as a list shows it.

    Attributes:
        summary: One line for people, with the convention.
        function: Its function as `module:name`.
        takes: `"pair"`: restored and sharp as the protocol aligned them; `"pair and range"`: also `data_range`;
            `"image"`: the whole restored image alone, no truth.
        better: Which values are better.
        form: Format of a value.
    """

    summary: str
    function: str
    takes: Literal["pair", "pair and range", "image"]
    better: Better
    form: str = "{:.3f}"


METRICS: dict[str, Metric] = {
    "psnr_y": Metric(
        "PSNR of MATLAB's studio-range Y, dB", "unblur.metrics.psnr:psnr_y_matlab", "pair", "higher", "{:.2f}"
    ),
    "ssim_gaussian": Metric(
        "SSIM, Gaussian 11x11 inside the image", "unblur.metrics.ssim:ssim_gaussian_valid", "pair and range", "higher"
    ),
    "ssim_padded": Metric(
        "SSIM, Gaussian 11x11, mirrored border", "unblur.metrics.ssim:ssim_gaussian_padded", "pair and range", "higher"
    ),
    "ssim_uniform": Metric(
        "SSIM, uniform 7x7, sample covariance", "unblur.metrics.ssim:ssim_uniform", "pair and range", "higher"
    ),
    "ssim_y": Metric(
        "SSIM of MATLAB's studio-range Y, Gaussian 11x11", "unblur.metrics.ssim:ssim_y_matlab", "pair", "higher"
    ),
    "ssim_3d": Metric(
        "MATLAB's ssim of an RGB array", "unblur.metrics.ssim:ssim_3d_matlab", "pair and range", "higher"
    ),
    "ms_ssim": Metric(
        "MS-SSIM, five scales, Gaussian 11x11 inside the image",
        "unblur.metrics.ms_ssim:ms_ssim_gaussian_valid",
        "pair and range",
        "higher",
    ),
    "niqe": Metric("NIQE with the model of this package", "unblur.metrics.niqe:niqe", "image", "lower"),
    "blur_effect": Metric("blur_effect of scikit-image", "unblur.metrics.sharpness:blur_effect", "image", "lower"),
    "lpips": Metric("LPIPS v0.1, AlexNet", "unblur.metrics.perceptual:lpips_alex", "pair", "lower", "{:.4f}"),
    "dists": Metric("DISTS, VGG-16", "unblur.metrics.perceptual:dists_vgg16", "pair", "lower", "{:.4f}"),
}


def find_metrics(names: Sequence[str]) -> tuple[str, ...]:
    """The given names without repetitions.

    Raises:
        UsageError: There is no such metric; the message lists the names.
    """
    for name in names:
        if name not in METRICS:
            raise UsageError(f"there is no metric {name!r} to add; choose among: {', '.join(METRICS)}")
    return tuple(dict.fromkeys(names))


def measure(name: str, pair: AlignedPair, restored: Tensor) -> Tensor:
    """One metric of a batch, `(B,)`.

    Args:
        name: A name in `METRICS`.
        pair: The pair as a protocol aligned it.
        restored: The whole restored images `(B, C, H, W)`, for metrics without a truth.

    Raises:
        UnblurError: The metric needs what this machine lacks, or a larger image; the message says which.
    """
    metric = METRICS[name]
    compute = load_object(metric.function)
    if metric.takes == "image":
        return compute(restored)
    return compute(pair.restored, pair.sharp, **({"data_range": 1.0} if metric.takes == "pair and range" else {}))
