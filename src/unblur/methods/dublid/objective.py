"""What DUBLID is trained for: the sharp image and the kernel, up to a common shift."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from unblur.blur.fft import from_spectrum, multiply_conjugate, spectrum
from unblur.methods.architectures import load_weights
from unblur.methods.dublid.model import Dublid, Estimate, FrameKind, Variant, move
from unblur.methods.dublid.start import start_from_derivatives
from unblur.metrics.psnr import psnr_of_error
from unblur.weights.shipped import read_weights

__all__ = ["DublidObjective", "kernel_shift"]

_MOST_DECIBELS = 100.0
"""PSNR in dB of images that are equal."""
_EQUAL = 1e-5
"""Mean square below which images count as equal: 50 dB."""


class DublidObjective(nn.Module):
    """Loss of a batch: `error of the image / 2 + κ error of the kernel / 2`, after the shift that suits the kernels.

    Blind deblurring knows the kernel only up to a shift, which moves the image the other way. The batch holds `blurry`
    `(B, C, h, w)`, `kernel` `(B, 1, k, k)` of the network's box, and `sharp` `(B, C, h + 2m, w + 2m)` with a margin of
    m pixels, the largest shift that is followed.

    Args:
        in_channels: 1 for grey images, 3 for colour.
        kernel_size: Side of the box that the kernel is searched in.
        variant: Kernel step, see `Dublid`.
        frame: See `Dublid`.
        frame_multiple: See `Dublid`; frames of small primes are quick.
        group: See `Dublid`; 0: all filters at a time, as a GPU likes it.
        start: Weights at first: oriented derivatives, or Xavier's random ones as in the paper.
        errors: `"absolute"`: mean squares, as in the paper, where the few photos with strong texture outweigh all
            others. `"relative"`: the logarithm of the image's over the blurry image's, that is the gain in decibels,
            and the kernel's over the mean square of the true kernel.
        kernel_weight: κ of the paper; with relative errors, 2 gives both terms a say.
        border: Pixels at each side of the image that do not count: what lies outside is unknown, and the network
            takes it for black.
        filter_weight: Multiplier of the mean square of the filters.
        start_weights: Weights to start from, by name or file, in place of `start`; empty: from scratch.

    Raises:
        CheckpointError: No such file, or one of another network.
    """

    def __init__(
        self,
        in_channels: int = 1,
        kernel_size: int = 45,
        *,
        variant: Variant = "code",
        frame: FrameKind = "released",
        frame_multiple: int | None = None,
        group: int = 0,
        start: Literal["derivatives", "xavier"] = "derivatives",
        errors: Literal["absolute", "relative"] = "absolute",
        kernel_weight: float = 100.0,
        border: int = 0,
        filter_weight: float = 0.0,
        start_weights: str = "",
    ) -> None:
        super().__init__()
        self.network = Dublid(
            in_channels=in_channels,
            kernel_size=kernel_size,
            variant=variant,
            frame=frame,
            frame_multiple=frame_multiple,
            group=group or None,
        )
        if start_weights:
            load_weights(self.network, read_weights(start_weights), expected="DUBLID")
        elif start == "derivatives":
            start_from_derivatives(self.network)
        self.border, self.errors = border, errors
        self.term_weights = {"image": 0.5, "kernel": 0.5 * kernel_weight}
        if filter_weight:
            self.term_weights["filters"] = filter_weight

    def forward(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The terms, each a mean over the batch."""
        image, kernel = self._errors(batch, self.network(batch["blurry"]))
        if self.errors == "relative":
            image = ((image + _EQUAL) / (self._error_before(batch) + _EQUAL)).log()
            kernel = kernel / batch["kernel"].square().mean((-3, -2, -1))
        terms = {"image": image.mean(), "kernel": kernel.mean()}
        if "filters" in self.term_weights:
            terms["filters"] = torch.cat([bank.flatten() for bank in self.network.weight_list]).square().mean()
        return terms

    def project(self) -> None:
        """Clamp what must not be negative; after each step of the optimiser."""
        self.network.project()

    @torch.no_grad()
    def evaluate(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """PSNR in dB and the gain over the blurry image, both after the shift; kernel RMSE; each `(B,)`."""
        estimate = self.network(batch["blurry"])
        image, kernel = self._errors(batch, _clamped(estimate))
        psnr = psnr_of_error(image, limit=_MOST_DECIBELS)
        return {
            "psnr": psnr,
            "gain": psnr - psnr_of_error(self._error_before(batch), limit=_MOST_DECIBELS),
            "kernel_rmse": kernel.sqrt(),
        }

    @torch.no_grad()
    def pictures(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Blurry, restored and sharp images side by side, and the true kernels above those found."""
        estimate = _clamped(self.network(batch["blurry"]))
        sharp = _inner(batch["sharp"], _margin(batch))
        kernels = torch.cat([batch["kernel"], estimate.kernel], dim=-2)
        return {
            "images": torch.cat([batch["blurry"], estimate.image, sharp], dim=-1),
            "kernels": kernels / kernels.amax((-2, -1), keepdim=True),
        }

    def metadata(self) -> dict[str, str]:
        """What the exported file says of itself."""
        return {"method": "dublid", "arch": "dublid", "arch_config": json.dumps(self.network.config())}

    def _error_before(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Mean squared error of the blurry image `(B,)`."""
        unmoved = _inner(batch["sharp"], _margin(batch))
        return _inner(batch["blurry"] - unmoved, self.border).square().mean((-3, -2, -1))

    def _errors(self, batch: Mapping[str, Tensor], estimate: Estimate) -> tuple[Tensor, Tensor]:
        """Mean squared errors of image and kernel after the shift; each `(B,)`."""
        margin = _margin(batch)
        shift = kernel_shift(estimate.kernel, batch["kernel"], limit=margin)
        # a kernel that lies further right leaves an image that lies further left
        sharp = _inner(move(batch["sharp"], -shift), margin)
        kernel = move(batch["kernel"], shift)
        return (
            _inner(estimate.image - sharp, self.border).square().mean((-3, -2, -1)),
            (estimate.kernel - kernel).square().mean((-3, -2, -1)),
        )


@torch.no_grad()
def kernel_shift(kernel: Float[Tensor, "b 1 k k"], true: Float[Tensor, "b 1 k k"], *, limit: int) -> Int[Tensor, "b 2"]:
    """The shift (down, right) in pixels of the true kernel that brings it nearest to `kernel`.

    Args:
        kernel: The estimate.
        true: What it should be.
        limit: Largest shift along each axis that is looked at.
    """
    side = kernel.shape[-1] + limit
    frame = (side, side)
    agreement = from_spectrum(multiply_conjugate(spectrum(true, frame), spectrum(kernel, frame)), frame)[:, 0]
    reach = torch.arange(-limit, limit + 1, device=kernel.device)
    near = agreement[:, reach[:, None] % side, reach[None, :] % side].flatten(1).argmax(1)
    return torch.stack([near // len(reach), near % len(reach)], dim=1) - limit


def _inner(image: Tensor, margin: int) -> Tensor:
    return image[..., margin : -margin or None, margin : -margin or None]


def _margin(batch: Mapping[str, Tensor]) -> int:
    return (batch["sharp"].shape[-1] - batch["blurry"].shape[-1]) // 2


def _clamped(estimate: Estimate) -> Estimate:
    return Estimate(estimate.image.clamp(0, 1), estimate.kernel, estimate.kernels)
