"""What the three networks learn, each in its turn (Eqs. 4 to 12, in the form of the released code).

M estimates the motion that remains in the answers of G, and G is trained to leave none; both are constrained, since
the answer, moved along the motion of M, must give the blurry photo again. A batch holds `unpaired_blurry` and
`unpaired_sharp`, and unless the training is without pairs, as many `blurry` and `sharp` that belong together; all
`(B, 3, H, W)` in [0, 1], with sides that are multiples of 16.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn

from unblur.backbones.dmphn import Dmphn
from unblur.errors import SettingsError
from unblur.images.tensors import round_to_8_bits
from unblur.losses.content import mean_square
from unblur.losses.smoothness import total_variation
from unblur.losses.structure import ms_ssim_loss
from unblur.methods.neurmap.discriminator import Discriminator
from unblur.methods.neurmap.model import Deblurring, Neurmap, start_from
from unblur.methods.neurmap.motion import mean_over_views
from unblur.methods.neurmap.motion_terms import Maps, motion_terms
from unblur.methods.neurmap.pool import SharpPool
from unblur.methods.neurmap.presets import Preset, choose_weights
from unblur.methods.neurmap.reblur import Outside, reblur
from unblur.metrics.psnr import validation_psnr

__all__ = ["NeurmapObjective"]

Batch = Mapping[str, Tensor]

_STRUCTURE = 0.1
"""Weight of the structural part of G's reblurring loss beside the squared one (Eq. 4)."""


_TRUST = 4
"""A pixel of a blurred sharp photo counts by the share of its line that lies inside the photo, to this power."""
_FLOOR = 1e-5
"""Mean squared error, at 50 dB, below which a blurred sharp photo counts less."""


class _Half(NamedTuple):
    """A batch: paired samples first.

    Attributes:
        pairs: Number of pairs.
    """

    blurry: Tensor
    sharp: Tensor
    pairs: int


class NeurmapObjective(nn.Module):
    """Three players: motion network, discriminator, deblurring network.

    Args:
        preset: Weights of the terms; `unpaired` also means that there are no pairs.
        weights: Changes to them, by name.
        natural: What the discriminator learns as natural: sharp photos at even places of a batch and blurry ones at odd
            places (Eq. 12), or sharp ones alone.
        deblurring: Which network deblurs.
        centred: See `Neurmap`.
        repeat_coarsest: See `losses.structure`.
        outside: What reblurring sees beyond the border. Black, as published, makes G answer for it wherever a
            border is as near as motions are long, which in a small crop is everywhere.
        start: Initial weights of a deblurring network from scratch: random, or (DMPHN) the identity.
        deblurring_weights: Weights to start the deblurring network from, by name, file or folder: its own, or those
            of `neurmap`, which hold both networks. Empty: from scratch.
        motion_weights: The same for the motion network.
        fixed: Players that keep their initial weights and take no turn.

    Raises:
        SettingsError: A term that the preset does not have, or a network that cannot begin as the identity.
        CheckpointError: No such file, or one of another network.
    """

    def __init__(
        self,
        preset: Preset = "code",
        weights: dict[str, float] | None = None,
        *,
        natural: Literal["both", "sharp"] = "both",
        deblurring: Deblurring = "dmphn-1-2-4",
        centred: bool = True,
        repeat_coarsest: bool = False,
        outside: Outside = "black",
        start: Literal["random", "identity"] = "random",
        deblurring_weights: str = "",
        motion_weights: str = "",
        fixed: Sequence[Literal["motion", "discriminator"]] = (),
    ) -> None:
        super().__init__()
        self.network = Neurmap(deblurring, centred=centred)
        self.discriminator, self.pool = Discriminator(), SharpPool()
        self.term_weights = choose_weights(preset, weights or {})
        self.players: dict[str, nn.Module] = {
            "motion": self.network.motion,
            "discriminator": self.discriminator,
            "deblurring": self.network.deblurring,
        }
        for name in fixed:
            self.players.pop(name).requires_grad_(False)
        self.is_paired, self.natural, self.repeat_coarsest = preset != "unpaired", natural, repeat_coarsest
        self.outside: Outside = outside
        if start == "identity":
            _make_identity(self.network.deblurring)
        if deblurring_weights:
            start_from(deblurring_weights, self.network.deblurring, "deblurring")
        if motion_weights:
            start_from(motion_weights, self.network.motion, "motion")

    def turns(self, batch: Batch) -> Iterator[dict[str, Tensor]]:
        """M, then D, then G with M as it is after its own step; all three on one answer of G."""
        half = self._join(batch)
        restored = self.network(half.blurry)
        if "motion" in self.players:
            yield self._of_motion(half, restored.detach())
        elif self.is_paired:
            self.pool.push(self.network.see(half.sharp).detach())
        if "discriminator" in self.players:
            yield {"discriminator": self._of_discriminator(half, restored.detach())}
        with _held(self.network.motion), _held(self.discriminator):
            terms = self._of_deblurring(half, restored)
        yield terms

    def project(self) -> None:
        """Nothing is bounded."""

    @torch.no_grad()
    def evaluate(self, batch: Batch) -> dict[str, Tensor]:
        """Share of the motion in the blurry photo that is left, and of pairs PSNR and its gain in dB, each `(B,)`."""
        blurry = _of_validation(batch)
        restored = self.network(blurry).clamp(0, 1)
        left, before = (self.network.see(image).abs().mean((1, 2, 3)) for image in (restored, blurry))
        scores = {"motion_left": left / before.clamp_min(1e-6)}
        if "sharp" in batch:
            psnr, psnr_before = (validation_psnr(image, batch["sharp"]) for image in (restored, blurry))
            scores |= {"psnr": psnr, "gain": psnr - psnr_before}
        return scores

    @torch.no_grad()
    def pictures(self, batch: Batch) -> dict[str, Tensor]:
        """Blurry, restored and reblurred side by side `(B, 3, H, 3 W)`."""
        blurry = _of_validation(batch)
        restored = self.network(blurry)
        again = reblur(restored, self.network.see(blurry) - self.network.see(restored))
        return {"blurry, restored, reblurred": torch.cat((blurry, restored, again), 3).clamp(0, 1)}

    def metadata(self) -> dict[str, str]:
        """What an exported file says of itself."""
        return {"method": "neurmap", "arch": "neurmap", "arch_config": self.network.config()}

    def _join(self, batch: Batch) -> _Half:
        blurry, sharp = batch["unpaired_blurry"], batch["unpaired_sharp"]
        if not self.is_paired:
            return _Half(blurry, sharp, 0)
        pairs = len(batch["blurry"])
        return _Half(torch.cat((batch["blurry"], blurry)), torch.cat((batch["sharp"], sharp)), pairs)

    def _of_motion(self, half: _Half, restored: Tensor) -> dict[str, Tensor]:
        maps = Maps(*(self.network.see(image) for image in (half.blurry, half.sharp, restored)))
        self.pool.push(maps.sharp)
        return motion_terms(maps, half.blurry, restored, repeat_coarsest=self.repeat_coarsest, outside=self.outside)

    def _of_discriminator(self, half: _Half, restored: Tensor) -> Tensor:
        """Eq. 12, at both sizes."""
        natural = half.sharp
        if self.natural == "both":
            is_odd = torch.arange(len(natural), device=natural.device).view(-1, 1, 1, 1) % 2 == 1
            natural = torch.where(is_odd, half.blurry, natural)
        marks = zip(self.discriminator(natural), self.discriminator(restored), strict=True)
        return torch.stack([(good - 1).square().mean() + bad.square().mean() for good, bad in marks]).sum()

    def _of_deblurring(self, half: _Half, restored: Tensor) -> dict[str, Tensor]:
        """Eqs. 4, 7 to 9 and 11; pairs count for content alone where only unpaired photos are given."""
        of_restored = self.network.see(restored)
        with torch.no_grad():
            relative = (self.network.see(half.blurry) - of_restored)[half.pairs :]
        alone, blurry = restored[half.pairs :], half.blurry[half.pairs :]
        again = reblur(alone, relative, outside=self.outside)
        marks = self.discriminator(restored)
        terms = {
            "blurred_sharp": self._of_blurred_sharp(half),
            "reblur": mean_square(again, blurry).mean() + _STRUCTURE * self._structure(again, blurry),
            "sharp": self._sharpness(of_restored),
            "natural": torch.stack([(mark - 1).square().mean() for mark in marks]).sum(),
            "restored_motion_smooth": total_variation(of_restored[half.pairs :]).mean(),
            "image_smooth": total_variation(alone).mean(),
        }
        if self.is_paired:
            terms["content"] = (restored[: half.pairs] - half.sharp[: half.pairs]).abs().mean()
        return terms

    def _of_blurred_sharp(self, half: _Half) -> Tensor:
        """Sharp photos, blurred along the motion that M estimates in blurry ones, are restored; not in the paper.

        The natural logarithm of the error over that of the blurred photo, so that mild blur counts as strong blur does.
        """
        sharp = half.sharp[half.pairs :]
        if not self.term_weights["blurred_sharp"]:
            return sharp.new_zeros(())
        with torch.no_grad():
            motion = mean_over_views(self.network.motion, half.blurry[half.pairs :]).float()
            blurred = round_to_8_bits(reblur(sharp, motion, outside="border"))
            # Where a line leaves the photo, the true blur is not known.
            trust = reblur(torch.ones_like(sharp[:, :1]), motion).pow(_TRUST)
        missed, before = (
            (trust * (image.float() - sharp).square()).mean((1, 2, 3)) + _FLOOR
            for image in (self.network(blurred), blurred)
        )
        return (missed.log() - before.log()).mean()

    def _sharpness(self, of_restored: Tensor) -> Tensor:
        """Eq. 7: answers have as little motion as sharp photos had lately; without pairs, none."""
        if not self.is_paired:
            return of_restored.abs().mean()
        return (of_restored.abs() - self.pool.mean().view(1, 2, 1, 1)).square().mean()

    def _structure(self, again: Tensor, blurry: Tensor) -> Tensor:
        return ms_ssim_loss(again, blurry, repeat_coarsest=self.repeat_coarsest).mean().to(again.dtype)


def _of_validation(batch: Batch) -> Tensor:
    """The blurry photos of pairs, with which a training without pairs can be validated, too; else the unpaired ones."""
    return batch["blurry"] if "blurry" in batch else batch["unpaired_blurry"]


def _make_identity(network: nn.Module) -> None:
    if not isinstance(network, Dmphn):
        raise SettingsError("only a DMPHN can begin as the identity; leave start at random, or name weights")
    network.begin_as_identity()


@contextmanager
def _held(network: nn.Module) -> Generator[None]:
    """Within, gradients go through a network and leave none in it."""
    learning = [weight for weight in network.parameters() if weight.requires_grad]
    network.requires_grad_(False)
    try:
        yield
    finally:
        for weight in learning:
            weight.requires_grad_(True)
