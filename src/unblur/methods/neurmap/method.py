"""The method `neurmap`."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import get_args

import torch
from torch import Tensor, nn

from unblur.backbones.dmphn import CENTRE
from unblur.backbones.golf import GolfNet
from unblur.backbones.golf_inference import PreparedNet
from unblur.backbones.mprnet import Stages
from unblur.blur.borders import Padding, crop_padding, pad_reflect
from unblur.errors import CheckpointError
from unblur.methods.architectures import load_weights
from unblur.methods.base import Restoration, Step, StepHook, Traits, ignore_step
from unblur.methods.network_runner import NetworkRunner, OnShare
from unblur.methods.neurmap.entry import NEURMAP
from unblur.methods.neurmap.fusion import FusionNet
from unblur.methods.neurmap.model import Deblurring, Neurmap
from unblur.methods.neurmap.motion import canonical, mean_over_views, to_motion_field
from unblur.methods.neurmap.posterior import descend_along_motion
from unblur.methods.neurmap.settings import NeurmapSettings
from unblur.methods.options import RestoreOptions
from unblur.system.precision import Precision
from unblur.system.text import quote
from unblur.weights.checkpoint import Checkpoint
from unblur.weights.config import read_config

__all__ = ["NeurmapMethod", "load_networks"]

_SMALLEST = 96
"""Smaller sides are continued by their mirror image for golf's network, which normalises over the photo and learned on
larger crops. A multiple of 16."""
_LOOK, _LOOKS = 8.0, 2
_DEBLURRING = 50.0
_STEP = 1.0
_FUSION = 10.0
"""Work, about, of a look for motion, of which descent takes two, of the network, of a step of descent, of fusion."""


class NeurmapMethod:
    """A network applied once, descent on the reblurring error along the estimated motion, and the fusion of both.

    The motion field is the one that the answer was moved along. Without descent it is that of the photo less that of
    the answer: what is still blurry, or was never sharp, has none.

    Args:
        settings: Settings of the method.
        checkpoint: Weights of both networks, and of the fusion network where there is one.

    Raises:
        CheckpointError: Weights of another network.
    """

    # One level of DMPHN sees 67 pixels far.
    traits = Traits(uses=NEURMAP.uses, channels="rgb", size_multiple=16, tile_halo=80, tile_side=1280)

    def __init__(self, settings: NeurmapSettings, checkpoint: Checkpoint) -> None:
        self.settings, self.checkpoint = settings, checkpoint
        networks = load_networks(checkpoint)
        self._centre = CENTRE if networks.centred else 0.0
        self._deblurring = _runner_of(networks.deblurring, settings.precision)
        self._smallest = _SMALLEST if networks.kind == "golf" else 1
        self._motion = NetworkRunner(networks.motion, settings.precision)
        fusion = networks.fusion if settings.steps and settings.fusion else None
        self._fusion = None if fusion is None else NetworkRunner(fusion, settings.precision)

    def restore(self, blurry: Tensor, options: RestoreOptions, on_step: StepHook = ignore_step) -> Restoration[Tensor]:
        """See `Method.restore`."""
        del options
        padding = _padding((blurry.shape[-2], blurry.shape[-1]), self._smallest)
        photos = pad_reflect(blurry, padding).split(1)
        answers: list[tuple[Tensor, Tensor]] = []
        for number, photo in enumerate(photos):
            answers.append(self._restore_one(photo, on_step, number / len(photos), 1 / len(photos)))
        images, fields = zip(*answers, strict=True)
        precision = str(self._deblurring.precision(blurry)).removeprefix("torch.")
        image, field = (crop_padding(torch.cat(of_all), padding) for of_all in (images, fields))
        return Restoration(image=image, motion_field=field, facts={"precision": precision})

    def _restore_one(self, blurry: Tensor, on_step: StepHook, done: float, share: float) -> tuple[Tensor, Tensor]:
        least, most = blurry.aminmax()
        if least == most:  # a network makes something of nothing
            on_step(Step(done + share, "no blur to remove"))
            return blurry, torch.zeros_like(blurry[:, :2])

        steps = self.settings.steps
        fusion = _FUSION if self._fusion else 0.0
        total = _DEBLURRING + (_LOOKS * _LOOK + steps * _STEP + fusion if steps else 2 * _LOOK)

        def part(begin: float, size: float, stage: str) -> OnShare:
            return lambda inner: on_step(Step(done + share * (begin + size * inner) / total, stage))

        def see(image: Tensor, number: int) -> Tensor:
            on_share = part(_DEBLURRING + number * _LOOK, _LOOK, "estimating motion")
            return self._motion(image, on_share).to(image.dtype)

        answer: Tensor | Stages = self._deblurring(blurry - self._centre, part(0.0, _DEBLURRING, "restoring"))
        restored = (answer.third if isinstance(answer, Stages) else answer).to(blurry.dtype) + self._centre
        if steps:
            numbers = count()
            motion = mean_over_views(lambda image: see(image, next(numbers)), blurry)
            on_share = part(total - fusion - steps * _STEP, steps * _STEP, "restoring along the motion")
            first = restored.clamp(0, 1)
            restored = descend_along_motion(blurry, first, motion, steps, on_share)
            if self._fusion:
                seen = FusionNet.stack(blurry, first, restored, motion)
                restored = self._fusion(seen, part(total - fusion, fusion, "joining both")).to(blurry.dtype)
        else:
            motion = canonical(see(blurry, 0)) - canonical(see(restored.clamp(0, 1), 1))
        on_step(Step(done + share, "restored"))
        return restored, to_motion_field(motion)


def _padding(sides: tuple[int, int], smallest: int) -> Padding:
    """What a small photo is continued by."""
    down, right = (max(smallest - side, 0) for side in sides)
    return Padding(0, right, 0, down)


def _runner_of(network: nn.Module, precision: Precision) -> NetworkRunner:
    return NetworkRunner(network, precision, prepare=_prepared if isinstance(network, GolfNet) else None)


def _prepared(network: GolfNet, device: torch.device, precision: torch.dtype) -> Callable[[Tensor], Tensor]:
    return PreparedNet(network, device, precision).whole


def load_networks(checkpoint: Checkpoint) -> Neurmap:
    """All networks with their weights.

    Raises:
        CheckpointError: Weights of another network.
    """
    config = read_config(checkpoint, {"deblurring": "dmphn-1-2-4", "centred": True, "fused": False})
    kind = config["deblurring"]
    if kind not in get_args(Deblurring):
        raise CheckpointError(f"has a deblurring network {quote(kind)}, which is not known here")
    networks = Neurmap(kind, centred=config["centred"], fusion=FusionNet() if config["fused"] else None)
    load_weights(networks, checkpoint, expected=f"NeurMAP ({kind} and a motion network)")
    return networks
