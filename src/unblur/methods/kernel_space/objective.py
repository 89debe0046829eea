"""What the two networks are trained for, together: F(x, G(x, y)) = y for every pair of a sharp x and a blurry y.

A batch holds `blurry` and `sharp`, each `(B, 3, H, W)` in [0, 1]. Where it also holds another photo under the same
blur, `other_blurry` and `other_sharp`, each photo is blurred with the code of the other: F(x2, G(x1, y1)) = y2. So a
code is of no use where it tells of the photo that it was found in.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor, nn

from unblur.errors import CheckpointError
from unblur.losses.charbonnier import charbonnier
from unblur.losses.divergence import normal_divergence
from unblur.methods.kernel_space.loading import BUILDERS, WINDOW
from unblur.methods.kernel_space.model import KernelSpace
from unblur.metrics.psnr import validation_psnr
from unblur.weights.checkpoint import Checkpoint
from unblur.weights.shipped import read_weights

__all__ = ["KernelSpaceObjective", "begin_with"]

Batch = Mapping[str, Tensor]
Size = Literal["full", "reduced"]

_DIVERGENCE = 10.0
"""Weight of the divergence as released; it belongs to sums over all numbers, not to means."""


class KernelSpaceObjective(nn.Module):
    """Charbonnier distance of F(x, G(x, y)) and y; of a variational network also the divergence of its codes.

    Both are sums over all numbers of a batch, as released: with means, they would weigh differently against each other.

    Args:
        size: The published networks, or reduced ones.
        variational: Learn to invent blurs as well.
        signed: See `KernelSpace`.
        start_weights: Weights to start from, by name or file; empty: from scratch. What does not fit is passed over; a
            variational network can begin with a plain one, see `begin_with`.
        code_size: Root mean square of the codes of `start_weights`, by which they are divided: those of a plain
            network may have any size, and the divergence draws them to 1.
        divergence: Weight of the divergence; that of the release suits its networks and crops.
        window: Side in pixels of the windows that photos are cut into under these weights; an exported file tells it.

    Raises:
        CheckpointError: No such file, or nothing in it fits.
    """

    def __init__(
        self,
        size: Size = "full",
        *,
        variational: bool = False,
        signed: bool = False,
        start_weights: str = "",
        code_size: float = 1.0,
        divergence: float = _DIVERGENCE,
        window: int = WINDOW,
    ) -> None:
        super().__init__()
        self.size, self.signed, self.window = size, signed, window
        self.network: KernelSpace = BUILDERS[size](variational=variational, signed=signed)
        self.term_weights = {"blur": 1.0} | ({"divergence": divergence} if variational else {})
        if start_weights:
            begin_with(self.network, read_weights(start_weights))
            self.network.divide_code(code_size)
        # With the channels of a pixel side by side, convolutions on a processor are quickest.
        self.network.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue] - no stub

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """The terms, each a sum over the batch."""
        sharp, blurry, order = _with_partners(batch)
        reblurred, spread = self.network(sharp, blurry, order)
        terms = {"blur": charbonnier(reblurred, blurry).sum()}
        if self.network.variational:
            terms["divergence"] = normal_divergence(spread.mean, spread.sigma).sum()
        return terms

    def project(self) -> None:
        """Nothing is bounded."""

    @torch.no_grad()
    def evaluate(self, batch: Batch) -> dict[str, Tensor]:
        """How well the blurry photo is made again, each `(B,)`.

        `psnr` is that of the clamped F(x, G(x, y)) against y in dB, `gain` what it has over x itself, `lead` what it
        has over x under the code of the next pair of the batch (0 if there is no other), and `code` the root mean
        square of the code. At a lead of 0 the operator gives all photos the same blur.
        """
        sharp, blurry = batch["sharp"], batch["blurry"]
        reblurred, spread = self.network(sharp, blurry)
        strange, _ = self.network(sharp, blurry, [*range(1, len(sharp)), 0])
        psnr, other, before = (validation_psnr(image.clamp(0, 1), blurry) for image in (reblurred, strange, sharp))
        size = spread.mean.float().square().mean((1, 2, 3)).sqrt()
        return {"psnr": psnr, "gain": psnr - before, "lead": psnr - other, "code": size}

    @torch.no_grad()
    def pictures(self, batch: Batch) -> dict[str, Tensor]:
        """Sharp, blurry and blurred again side by side `(B, 3, H, 3 W)`."""
        reblurred, _ = self.network(batch["sharp"], batch["blurry"])
        row = torch.cat([batch["sharp"], batch["blurry"], reblurred.float().clamp(0, 1)], 3)
        return {"sharp, blurry, reblurred": row}

    def metadata(self) -> dict[str, str]:
        """What an exported file says of itself."""
        config = {
            "size": self.size,
            "variational": self.network.variational,
            "signed": self.signed,
            "window": self.window,
        }
        return {"method": "kernel-space", "arch": "kernel-space", "arch_config": json.dumps(config)}


def _with_partners(batch: Batch) -> tuple[Tensor, Tensor, list[int] | None]:
    """Sharp and blurry photos, and the number of the pair whose code each gets; None: its own."""
    sharp, blurry = batch["sharp"], batch["blurry"]
    if "other_sharp" not in batch:
        return sharp, blurry, None
    count = len(sharp)
    order = [*range(count, 2 * count), *range(count)]
    return torch.cat([sharp, batch["other_sharp"]]), torch.cat([blurry, batch["other_blurry"]]), order


def begin_with(network: KernelSpace, checkpoint: Checkpoint) -> tuple[str, ...]:
    """Give a network those weights that it has in the same shape.

    The extractor of a variational network is wider at its end. The first half of its output, the mean, becomes the code
    of a plain extractor, so that the operator beside it knows what codes mean from the first step on.

    Returns:
        Names of the weights that stay as they were.

    Raises:
        CheckpointError: None fits.
    """
    own = network.state_dict()
    fitting = {
        name: _placed(tensor.to(own[name].dtype), own[name])
        for name, tensor in checkpoint.tensors.items()
        if name in own and (tensor.shape == own[name].shape or (network.variational and _is_within(tensor, own[name])))
    }
    if not fitting:
        raise CheckpointError("has no tensor of a kernel space of this size; start from weights of the same width")
    network.load_state_dict(fitting, strict=False)
    return tuple(name for name in own if name not in fitting)


def _is_within(narrow: Tensor, wide: Tensor) -> bool:
    """Whether a convolution has the kernel of another and at most twice as many channels."""
    return (
        narrow.ndim == wide.ndim == 4
        and narrow.shape[2:] == wide.shape[2:]
        and all(w in (n, 2 * n) for n, w in zip(narrow.shape[:2], wide.shape[:2], strict=True))
    )


def _placed(narrow: Tensor, wide: Tensor) -> Tensor:
    """The wide weights, whose first outputs are those of the narrow ones and take nothing from the other inputs."""
    if narrow.shape == wide.shape:
        return narrow
    outputs, inputs = narrow.shape[:2]
    placed = wide.clone()
    placed[:outputs] = 0
    placed[:outputs, :inputs] = narrow
    return placed
