"""The method `neurmap`."""

from __future__ import annotations

from itertools import count
from typing import get_args

import torch
from torch import Tensor

from unblur.backbones.dmphn import CENTRE
from unblur.backbones.mprnet import Stages
from unblur.errors import CheckpointError
from unblur.methods.architectures import load_weights
from unblur.methods.base import Restoration, Step, StepHook, Traits, ignore_step
from unblur.methods.network_runner import NetworkRunner, OnShare
from unblur.methods.neurmap.entry import NEURMAP
from unblur.methods.neurmap.model import Deblurring, Neurmap
from unblur.methods.neurmap.motion import canonical, mean_over_views, to_motion_field
from unblur.methods.neurmap.posterior import descend_along_motion
from unblur.methods.neurmap.settings import NeurmapSettings
from unblur.methods.options import RestoreOptions
from unblur.system.text import quote
from unblur.weights.checkpoint import Checkpoint
from unblur.weights.config import read_config

__all__ = ["NeurmapMethod", "load_networks"]

_LOOK, _LOOKS = 8.0, 2
_DEBLURRING = 50.0
_STEP = 1.0
"""Work, about, of a look for motion, of which descent takes two, of the network, and of a step of descent."""


class NeurmapMethod:
    """A network applied once, descent on the reblurring error along the estimated motion, and the fusion of both.

    The motion field is the one that the answer was moved along. Without descent it is that of the photo less that of
    the answer: what is still blurry, or was never sharp, has none.

    Args:
        settings: Settings of the method.
        checkpoint: Weights of both networks.

    Raises:
        CheckpointError: Weights of another network.
    """

    # One level of DMPHN sees 67 pixels far.
    traits = Traits(uses=NEURMAP.uses, channels="rgb", size_multiple=16, tile_halo=80, tile_side=1280)

    def __init__(self, settings: NeurmapSettings, checkpoint: Checkpoint) -> None:
        self.settings, self.checkpoint = settings, checkpoint
        networks = load_networks(checkpoint)
        self._centre = CENTRE if networks.centred else 0.0
        self._deblurring = NetworkRunner(networks.deblurring, settings.precision)
        self._motion = NetworkRunner(networks.motion, settings.precision)
        self._fusion = None if networks.fusion is None else NetworkRunner(networks.fusion, settings.precision)

    def restore(self, blurry: Tensor, options: RestoreOptions, on_step: StepHook = ignore_step) -> Restoration[Tensor]:
        """See `Method.restore`."""
        del options
        photos = blurry.split(1)
        answers: list[tuple[Tensor, Tensor]] = []
        for number, photo in enumerate(photos):
            answers.append(self._restore_one(photo, on_step, number / len(photos), 1 / len(photos)))
        images, fields = zip(*answers, strict=True)
        precision = str(self._deblurring.precision(blurry)).removeprefix("torch.")
        return Restoration(image=torch.cat(images), motion_field=torch.cat(fields), facts={"precision": precision})

    def _restore_one(self, blurry: Tensor, on_step: StepHook, done: float, share: float) -> tuple[Tensor, Tensor]:
        least, most = blurry.aminmax()
        if least == most:  # a network makes something of nothing
            on_step(Step(done + share, "no blur to remove"))
            return blurry, torch.zeros_like(blurry[:, :2])

        steps = self.settings.steps
        total = _DEBLURRING + (_LOOKS * _LOOK + steps * _STEP if steps else 2 * _LOOK)

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
            on_share = part(total - steps * _STEP, steps * _STEP, "restoring along the motion")
            restored = descend_along_motion(blurry, restored.clamp(0, 1), motion, steps, on_share)
        else:
            motion = canonical(see(blurry, 0)) - canonical(see(restored.clamp(0, 1), 1))
        on_step(Step(done + share, "restored"))
        return restored, to_motion_field(motion)


def load_networks(checkpoint: Checkpoint) -> Neurmap:
    """Both networks with their weights.

    Raises:
        CheckpointError: Weights of another network.
    """
    config = read_config(checkpoint, {"deblurring": "dmphn-1-2-4", "centred": True})
    kind = config["deblurring"]
    if kind not in get_args(Deblurring):
        raise CheckpointError(f"has a deblurring network {quote(kind)}, which is not known here")
    networks = Neurmap(kind, centred=config["centred"])
    load_weights(networks, checkpoint, expected=f"NeurMAP ({kind} and a motion network)")
    return networks
