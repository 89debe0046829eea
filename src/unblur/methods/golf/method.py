"""The method `golf`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import torch
from torch import Tensor

from unblur.backbones.golf import CONFIG, first_shot, putt
from unblur.backbones.golf_inference import PreparedNet
from unblur.blur.borders import Padding, crop_padding, pad_reflect
from unblur.methods.architectures import load_weights
from unblur.methods.base import Restoration, Step, StepHook, Traits, ignore_step, steps_of_photo
from unblur.methods.golf.entry import GOLF
from unblur.methods.golf.model import GolfOptimizer
from unblur.methods.golf.settings import GolfSettings
from unblur.methods.loading import load_method
from unblur.methods.options import RestoreOptions
from unblur.system.precision import precision_for
from unblur.weights.checkpoint import Checkpoint
from unblur.weights.config import read_config
from unblur.weights.onnx_file import Portable

__all__ = ["Golf", "load_networks", "load_refiner"]

_SMALLEST = 96
"""Photos of fewer pixels than a square of this side are continued by their mirror image: the networks learned on such
squares. A strip of more is not, which costs a third and lost nothing on average (on twelve 16 to 48 wide)."""
_FIRST_SHOT_WORK, _PUTT_WORK = 4.0, 1.0
"""Twice the channels, four times the work."""


class Golf:
    """A first shot at the whole photo, then refinement steps; blur may differ from place to place and is not searched.

    Args:
        settings: Settings of the method.
        checkpoint: Weights of both networks.

    Raises:
        CheckpointError: Weights of another network.
    """

    traits = Traits(uses=GOLF.uses, channels="rgb")

    def __init__(self, settings: GolfSettings, checkpoint: Checkpoint) -> None:
        self.settings, self.checkpoint = settings, checkpoint
        self.networks = load_networks(checkpoint)
        self._prepared: dict[tuple[torch.device, torch.dtype], tuple[PreparedNet, PreparedNet]] = {}

    def restore(self, blurry: Tensor, options: RestoreOptions, on_step: StepHook = ignore_step) -> Restoration[Tensor]:
        """See `Method.restore`; each step shows an iterate."""
        del options
        photos = blurry.split(1)
        answers: list[Tensor] = []
        for number, photo in enumerate(photos):
            answers.append(self._restore_one(photo, steps_of_photo(on_step, number, len(photos))))
        precision = self._precision(blurry)
        return Restoration(image=torch.cat(answers), facts={"precision": str(precision).removeprefix("torch.")})

    def portable(self) -> Portable:
        """See `PortableMethod.portable`."""
        networks = GolfOptimizer(self.networks.first_shot, self.networks.putt, iters=self.settings.iters)
        return Portable(networks, smallest=_SMALLEST, largest=round(1e6 * self.settings.whole))

    def iterates(self, blurry: Tensor, on_step: StepHook = ignore_step) -> Iterator[Tensor]:
        """x_0, x_1, ... of one photo `(1, 3, H, W)`, as they come; none is clamped."""
        padding = self._padding(*blurry.shape[-2:])
        first, then = self._prepare(blurry)
        latent = pad_reflect(blurry, padding)
        total = _FIRST_SHOT_WORK + self.settings.iters * _PUTT_WORK
        done = 0.0
        for number in range(self.settings.iters + 1):
            net, work = (then, _PUTT_WORK) if number else (first, _FIRST_SHOT_WORK)
            stage = f"refinement step {number} of {self.settings.iters}" if number else "first shot"
            latent = self._apply(net, latent, _between(on_step, stage, done / total, work / total))
            done += work
            image = crop_padding(latent, padding)
            on_step(Step(done / total, stage, partial(crop_padding, latent, padding)))
            yield image

    def improve(self, image: Tensor) -> Tensor:
        """G(x) of photos `(B, 3, H, W)`, not clamped: one step uphill on the learned prior, see `residual_gradient`."""
        _, putt_net = self._prepare(image)
        return torch.cat([self._apply(putt_net, one, lambda _, __: None) for one in image.split(1)])

    def _restore_one(self, blurry: Tensor, on_step: StepHook) -> Tensor:
        least, most = blurry.aminmax()
        if least == most:  # normalising a photo without contrast would make something of nothing
            on_step(Step(1.0, "no blur to remove"))
            return blurry
        *_, last = self.iterates(blurry, on_step)
        return last

    def _padding(self, height: int, width: int) -> Padding:
        """What a small photo is continued by; a strip that goes in tiles is, too, for they are surveyed in squares."""
        is_whole = height * width <= 1e6 * self.settings.whole
        down, across = (
            max(min(_SMALLEST, _SMALLEST**2 // other if is_whole else _SMALLEST) - side, 0)
            for side, other in ((height, width), (width, height))
        )
        return Padding(across // 2, across - across // 2, down // 2, down - down // 2)

    def _apply(self, net: PreparedNet, latent: Tensor, on_tile: Callable[[int, int], None]) -> Tensor:
        if latent.shape[-2] * latent.shape[-1] <= 1e6 * self.settings.whole:
            return net.whole(latent)
        return net.in_tiles(latent, self.settings.tile, on_tile)

    def _prepare(self, blurry: Tensor) -> tuple[PreparedNet, PreparedNet]:
        key = blurry.device, self._precision(blurry)
        if key not in self._prepared:
            self._prepared[key] = (
                PreparedNet(self.networks.first_shot, *key),
                PreparedNet(self.networks.putt, *key),
            )
        return self._prepared[key]

    def _precision(self, blurry: Tensor) -> torch.dtype:
        return precision_for(blurry, self.settings.precision)


def load_refiner() -> Golf:
    """Golf's second network with the shipped weights, as a `Refiner`."""
    golf = load_method("golf")
    if not isinstance(golf, Golf):
        raise TypeError("the catalogue has another method under the name golf")
    return golf


def load_networks(checkpoint: Checkpoint) -> GolfOptimizer:
    """Both networks with their weights.

    Raises:
        CheckpointError: Weights of another network.
    """
    config = read_config(checkpoint, CONFIG)
    networks = GolfOptimizer(first_shot(**config), putt(unit_contrast=config["unit_contrast"]))
    load_weights(networks, checkpoint, expected="Golf Optimizer (first shot of 32 channels, putt of 16)")
    return networks.requires_grad_(False)


def _between(on_step: StepHook, stage: str, done: float, share: float) -> Callable[[int, int], None]:
    """Reports the tiles of one network, which is so much of the whole work."""

    def on_tile(tile: int, tiles: int) -> None:
        on_step(Step(done + share * tile / tiles, f"{stage}, tile {tile} of {tiles}"))

    return on_tile
