"""The networks of NeurMAP: one deblurs, one estimates motion, and one may join what both lead to."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Literal, cast

from jaxtyping import Float
from torch import Tensor, nn

from unblur.backbones.dmphn import CENTRE, dmphn_1_2_4, dmphn_1_2_4_8
from unblur.backbones.golf import first_shot
from unblur.backbones.mprnet import Stages, mprnet
from unblur.methods.architectures import load_weights
from unblur.methods.neurmap.fusion import FusionNet
from unblur.methods.neurmap.motion import MotionNet, canonical
from unblur.weights.shipped import read_weights

__all__ = ["Deblurring", "Neurmap", "Part", "start_from"]

Deblurring = Literal["dmphn-1-2-4", "dmphn-1-2-4-8", "mprnet", "golf"]
"""The last is golf's first network, at unit contrast."""

Part = Literal["deblurring", "motion", "fusion"]
"""Which of the networks; their weights in a file of all begin with it."""

_ELSEWHERE = {"deblurring": "first_shot"}
"""How they begin in a file of another method."""

_BUILDERS: dict[str, Callable[[], nn.Module]] = {
    "dmphn-1-2-4": dmphn_1_2_4,
    "dmphn-1-2-4-8": dmphn_1_2_4_8,
    "mprnet": mprnet,
    "golf": lambda: first_shot(unit_contrast=True),
}


class Neurmap(nn.Module):
    """All networks.

    Args:
        deblurring: Which network deblurs.
        centred: A DMPHN works on values from -0.5 to 0.5, as its released weights do; no other network does.
        fusion: The fusion network, where there is one.
    """

    def __init__(
        self, deblurring: Deblurring = "dmphn-1-2-4", *, centred: bool = True, fusion: FusionNet | None = None
    ) -> None:
        super().__init__()
        self.kind, self.centred = deblurring, centred and deblurring.startswith("dmphn")
        self.deblurring = _BUILDERS[deblurring]()
        self.motion = MotionNet()
        self.fusion = fusion

    def forward(self, blurry: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b 3 h w"]:
        """The sharp image, not clamped; sides are multiples of 16."""
        centre = CENTRE if self.centred else 0.0
        answer: Tensor | Stages = self.deblurring(blurry - centre)
        return (answer.third if isinstance(answer, Stages) else answer) + centre

    def see(self, image: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b 2 h w"]:
        """The motion map of an image with one of its two directions chosen."""
        return canonical(cast("Tensor", self.motion(image)))

    def config(self) -> str:
        """What a file of weights must say so that the same networks can be made again."""
        stated: dict[str, str | bool] = {"deblurring": self.kind, "centred": self.centred}
        return json.dumps(stated if self.fusion is None else stated | {"fused": True})


def start_from(given: str, network: nn.Module, part: Part) -> None:
    """Give one of the networks its initial weights.

    Args:
        given: Weights by name, file or folder: the network's own, or those of all networks; for the deblurring network
            also those of golf.
        network: Gets them.
        part: Which of them it is.

    Raises:
        CheckpointError: There are no such weights, or they are those of another network.
    """
    checkpoint = read_weights(given)
    beginnings = f"{part}.", f"{_ELSEWHERE.get(part, part)}."
    own = {name.partition(".")[2]: value for name, value in checkpoint.tensors.items() if name.startswith(beginnings)}
    load_weights(network, replace(checkpoint, tensors=own) if own else checkpoint, expected=type(network).__name__)
