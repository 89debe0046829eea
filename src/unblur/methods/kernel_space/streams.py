"""Training samples under learned blur: that of other pairs, transferred, or sampled."""

from __future__ import annotations

from typing import Literal, Protocol

import torch
from torch import Tensor

from unblur.errors import CheckpointError, SettingsError
from unblur.methods.kernel_space.loading import load_kernel_space, window_of
from unblur.methods.kernel_space.photos import blur_by_sample, find_blur, transfer_to_photo
from unblur.weights.shipped import read_weights

__all__ = ["LearnedBlurStream", "Samples"]

_MIX = 1_000_003
"""Seeds of neighbouring samples must not meet."""
_FAR = 2**31


class Samples(Protocol):
    """Samples by number, each with `blurry` and `sharp`, `(3, H, W)` in [0, 1]."""

    def sample(self, index: int) -> dict[str, Tensor]:
        """Sample number `index`."""
        ...


class LearnedBlurStream:
    """Samples of another stream, a share of them with their blur replaced by a learned one.

    Args:
        stream: The samples.
        weights: Weights of the kernel space: a file, or a name that `unblur weights list` shows.
        sources: Pairs whose blur is carried over; None: other samples of the stream.
        share: Share of the samples whose blur is replaced.
        how: `transfer`: the blur of another pair; `sample`: an invented one, for variational weights.
        seed: Another seed is another stream.

    Raises:
        CheckpointError: Weights that cannot be used.
    """

    def __init__(
        self,
        stream: Samples,
        weights: str,
        *,
        sources: Samples | None = None,
        share: float = 1 / 3,
        how: Literal["transfer", "sample"] = "transfer",
        seed: int = 0,
    ) -> None:
        if not 0 <= share <= 1:
            raise SettingsError(f"share takes a number from 0 to 1, not {share:g}")
        checkpoint = read_weights(weights)
        self.network, self.window = load_kernel_space(checkpoint), window_of(checkpoint)
        if how == "sample" and not self.network.variational:
            raise CheckpointError(
                f"the weights {weights}: blurs are invented by variational weights, and these are not"
            )
        self.stream, self.sources, self.share, self.how, self.seed = stream, sources or stream, share, how, seed

    def sample(self, index: int) -> dict[str, Tensor]:
        """Sample number `index`: `blurry` and `sharp`, each `(3, H, W)`.

        Raises:
            ReadError: A photo that was drawn cannot be read; the message names it.
        """
        sample = self.stream.sample(index)
        generator = torch.Generator().manual_seed((self.seed * _MIX + index) % 2**63)
        if float(torch.rand((), generator=generator)) >= self.share:
            return sample
        sharp = sample["sharp"]
        return {"blurry": self._blurred(sharp[None], generator)[0], "sharp": sharp}

    def _blurred(self, sharp: Tensor, generator: torch.Generator) -> Tensor:
        if self.how == "sample":
            return blur_by_sample(self.network, sharp, self.window, generator)
        source = self.sources.sample(int(torch.randint(_FAR, (), generator=generator)))
        found = find_blur(self.network, source["sharp"][None], source["blurry"][None], self.window)
        return transfer_to_photo(self.network, found, sharp)
