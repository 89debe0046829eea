"""The methods `dmphn`, `maxim`, `mprnet` and `nafnet`: one network, once over the photo."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from typing_extensions import override

from unblur.backbones.dmphn import CENTRE, dmphn_1_2_4, dmphn_1_2_4_8
from unblur.backbones.maxim import maxim_3s
from unblur.backbones.mprnet import Stages, mprnet
from unblur.backbones.nafnet import nafnet_32, nafnet_64
from unblur.errors import CheckpointError
from unblur.methods.architectures import load_weights
from unblur.methods.backbone.entry import DMPHN, MAXIM, MPRNET, NAFNET
from unblur.methods.backbone.settings import DmphnSettings, MaximSettings, MprnetSettings, NafnetSettings
from unblur.methods.base import Restoration, Step, StepHook, Traits, ignore_step
from unblur.methods.network_runner import NetworkRunner
from unblur.methods.options import RestoreOptions
from unblur.methods.working_scale import choose_scale
from unblur.system.precision import choose_precision
from unblur.weights.checkpoint import Checkpoint
from unblur.weights.onnx_file import Portable

__all__ = ["Dmphn", "Maxim", "Mprnet", "Nafnet"]

_TILE = 1280
"""A frame of a video in one piece, as the networks are measured on."""

_MAXIM_HALO = 64
_MAXIM_TILES = {torch.bfloat16: 1024, torch.float32: 640}
"""Grids span a whole tile, so larger ones lose less; with the halo they have up to 192 pixels more."""

AnySettings = DmphnSettings | MaximSettings | MprnetSettings | NafnetSettings


class _Backbone:
    """What these methods share; the blur may differ from place to place and is not looked for."""

    def __init__(
        self,
        settings: AnySettings,
        checkpoint: Checkpoint,
        network: nn.Module,
        expected: str,
        traits: Traits,
        *,
        applied: nn.Module | None = None,
        throughout: bool = False,
    ) -> None:
        """`applied` is the network with what comes before and after it, if anything does; see also `NetworkRunner`."""
        load_weights(network, checkpoint, expected=expected)
        self.settings, self.checkpoint, self.traits = settings, checkpoint, traits
        self._applied = applied or network
        self._network = NetworkRunner(self._applied, settings.precision, throughout=throughout)

    def restore(self, blurry: Tensor, options: RestoreOptions, on_step: StepHook = ignore_step) -> Restoration[Tensor]:
        """See `Method.restore`."""
        del options
        photos = blurry.split(1)
        restored: list[Tensor] = []
        for number, photo in enumerate(photos):
            restored.append(self._restore_one(photo, on_step, number / len(photos), 1 / len(photos)))
        precision = str(self._network.precision(blurry)).removeprefix("torch.")
        return Restoration(image=torch.cat(restored), facts={"precision": precision})

    def _restore_one(self, blurry: Tensor, on_step: StepHook, done: float, share: float) -> Tensor:
        least, most = blurry.aminmax()
        if least == most:  # a network makes something of nothing
            on_step(Step(done + share, "no blur to remove"))
            return blurry

        def on_share(part: float) -> None:
            on_step(Step(done + share * part, "restoring"))

        answer = self._network(blurry, on_share).to(blurry.dtype)
        on_step(Step(done + share, "restored"))
        return answer


class Dmphn(_Backbone):
    """A hierarchy of patches (Zhang et al., CVPR 2019), of three or four levels, as the weights say.

    Args:
        settings: Settings of the method.
        checkpoint: Weights of all encoders and decoders.

    Raises:
        CheckpointError: Weights of another network, or of a part of this one.
    """

    def __init__(self, settings: DmphnSettings, checkpoint: Checkpoint) -> None:
        _refuse_part(checkpoint)
        four = any(name.startswith("encoder_lv4.") for name in checkpoint.tensors)
        network = dmphn_1_2_4_8() if four else dmphn_1_2_4()
        applied = _Centred(network) if settings.centred else network
        # One level sees 67 pixels far.
        traits = Traits(
            uses=DMPHN.uses, channels="rgb", size_multiple=max(network.multiples), tile_halo=80, tile_side=_TILE
        )
        super().__init__(
            settings, checkpoint, network, f"DMPHN ({'1-2-4-8' if four else '1-2-4'})", traits, applied=applied
        )

    def portable(self) -> Portable:
        """See `PortableMethod.portable`."""
        return Portable(self._applied, multiples=(self.traits.size_multiple, self.traits.size_multiple))


class Maxim(_Backbone):
    """Multi-axis gating (Tu et al., CVPR 2022), three stages, as trained on GoPro.

    Args:
        settings: Settings of the method.
        checkpoint: Weights of the released network.

    Raises:
        CheckpointError: Weights of another network.
    """

    def __init__(self, settings: MaximSettings, checkpoint: Checkpoint) -> None:
        network = maxim_3s()
        self._scale, self._pixels = settings.scale, settings.pixels
        traits = Traits(
            uses=MAXIM.uses,
            channels="rgb",
            size_multiple=network.multiple,
            tile_halo=_MAXIM_HALO,
            tile_side=_MAXIM_TILES[choose_precision(settings.precision, torch.device("cpu"))],
            scale_for=self._scale_for,
        )
        super().__init__(
            settings, checkpoint, network, "MAXIM (three stages, 22,207,605 numbers)", traits, throughout=True
        )

    def _scale_for(self, blurry: Tensor, on_step: StepHook) -> float:
        def restore(image: Tensor, on_step: StepHook) -> Tensor:
            return self.restore(image, RestoreOptions(), on_step).image

        return self._scale or choose_scale(
            blurry, restore, largest=self._pixels, multiple=self.traits.size_multiple, on_step=on_step
        )


class Mprnet(_Backbone):
    """Three stages (Zamir et al., CVPR 2021); the image of the last is the answer.

    Args:
        settings: Settings of the method.
        checkpoint: Weights of the released configuration for deblurring.

    Raises:
        CheckpointError: Weights of another network.
    """

    def __init__(self, settings: MprnetSettings, checkpoint: Checkpoint) -> None:
        network = mprnet()
        traits = Traits(uses=MPRNET.uses, channels="rgb", size_multiple=network.multiple, tile_halo=80, tile_side=_TILE)
        super().__init__(
            settings, checkpoint, network, "MPRNet for deblurring (width 96)", traits, applied=_LastStage(network)
        )


class Nafnet(_Backbone):
    """A network without activation functions (Chen et al., ECCV 2022), of width 32 or 64, as the weights say.

    Args:
        settings: Settings of the method.
        checkpoint: Weights of a network for motion blur.

    Raises:
        CheckpointError: Weights of another network.
    """

    def __init__(self, settings: NafnetSettings, checkpoint: Checkpoint) -> None:
        intro = checkpoint.tensors.get("intro.weight")
        wide = intro is not None and intro.shape[0] == 64
        network = nafnet_64() if wide else nafnet_32()
        expected = f"NAFNet for deblurring (width {64 if wide else 32}, blocks 1 1 1 28, 1, 1 1 1 1)"
        # The network continues photos by itself, but tiles must begin where its blocks do.
        traits = Traits(
            uses=NAFNET.uses, channels="rgb", size_multiple=network.multiple, tile_halo=128, tile_side=_TILE
        )
        super().__init__(settings, checkpoint, network, expected, traits)
        if settings.pooling == "local":
            network.pool_locally()


class _Centred(nn.Module):
    """A network of centred values, for values from 0 to 1."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    @override
    def forward(self, image: Tensor) -> Tensor:
        return self.network(image - CENTRE).to(image.dtype) + CENTRE


class _LastStage(nn.Module):
    """The image of the last of three stages."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    @override
    def forward(self, image: Tensor) -> Tensor:
        stages: Stages = self.network(image)
        return stages.third


def _refuse_part(checkpoint: Checkpoint) -> None:
    """The released network lies in six or eight files."""
    if {"layer1.weight", "layer24.weight"} & checkpoint.tensors.keys():
        raise CheckpointError(
            "is one encoder or decoder of DMPHN; name the folder that holds all of them, or join them:"
            " unblur weights convert encoder_lv*.pkl decoder_lv*.pkl dmphn.safetensors"
        )
