"""Which network weights belong to, told by the names and shapes of their tensors."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from unblur.system.text import shorten

if TYPE_CHECKING:
    from torch import Tensor

    from unblur.weights.checkpoint import Checkpoint

__all__ = ["describe_family", "guess_arch", "shapes_of"]

Shapes = Mapping[str, tuple[int, ...]]


def describe_family(checkpoint: Checkpoint) -> str:
    """What the network is, for people: told by its tensors, else as the file calls itself, else unknown."""
    stated = checkpoint.metadata.get("arch", "")
    shapes = shapes_of(checkpoint.tensors)
    arch = guess_arch(shapes)
    if not arch:
        return shorten(stated) or "of an unknown architecture"
    try:
        return _DETAILS[arch](shapes)
    except (LookupError, ValueError):
        return f"named like {arch}, with tensors of other shapes"


def shapes_of(tensors: Mapping[str, Tensor]) -> Shapes:
    """The shape of each tensor."""
    return {name: tuple(tensor.shape) for name, tensor in tensors.items()}


def guess_arch(shapes: Shapes) -> str:
    """The name of the architecture; empty if it is unknown."""
    return next((arch for arch, signs in _SIGNS.items() if all(name in shapes for name in signs)), "")


def _describe_dublid(shapes: Shapes) -> str:
    channels, colours = shapes["weight_list.0"][:2]
    layers = _count(shapes, r"kernel_bias_list\.\d+")
    return f"DUBLID ({layers} layers, {channels} channels, {_colours(colours)})"


def _describe_golf(shapes: Shapes) -> str:
    return f"Golf Optimizer (first shot of {shapes[_FIRST_SHOT][0]} channels, putt of {shapes[_PUTT][0]})"


def _describe_first_shot(shapes: Shapes) -> str:
    return f"the first shot of the Golf Optimizer ({shapes['head.weight'][0]} channels)"


def _describe_nafnet(shapes: Shapes) -> str:
    return f"NAFNet (width {shapes['intro.weight'][0]})"


def _describe_mprnet(shapes: Shapes) -> str:
    return f"MPRNet (width {shapes['concat12.weight'][0]})"


def _describe_dmphn(shapes: Shapes) -> str:
    levels = _count(shapes, r"encoder_lv\d+")
    return f"DMPHN ({'-'.join(str(2**level) for level in range(levels))})"


def _describe_dmphn_part(shapes: Shapes) -> str:
    return f"one {'encoder' if 'layer1.weight' in shapes else 'decoder'} of DMPHN"


def _describe_neurmap(shapes: Shapes) -> str:
    begin = "deblurring."
    inner = {name.removeprefix(begin): shape for name, shape in shapes.items() if name.startswith(begin)}
    return f"NeurMAP ({_DETAILS[arch](inner) if (arch := guess_arch(inner)) else 'of an unknown network'})"


def _describe_kernel_space(shapes: Shapes) -> str:
    width = shapes["feature_extractor.0.weight"][0]
    # The lowest level joins the features, eight times as wide as at the top, to the code.
    code = shapes[_LOWEST_LEVEL][0] - 8 * width
    variational = shapes["kernel_extractor.model.16.weight"][0] == 2 * code
    return f"kernel space (width {width}, {code} channels of code{', variational' if variational else ''})"


_LOWEST_LEVEL = "adapter.model.submodule.submodule.submodule.submodule.up.1.weight"
"""Of the U-net that puts a code into the features."""

_FIRST_SHOT, _PUTT = "first_shot.head.weight", "putt.head.weight"

_SIGNS: dict[str, Iterable[str]] = {
    "kernel-space": ("kernel_extractor.model.16.weight", "feature_extractor.0.weight", _LOWEST_LEVEL),
    "neurmap": ("motion.conv_out_0.weight", "motion.uconv_3.weight"),
    "dublid": ("weight_list.0", "kernel_bias_list.0", "prox_list.0"),
    "golf": (_FIRST_SHOT, _PUTT, "putt.layer4.1.branch.5.weight"),
    "golf-first-shot": ("head.weight", "layer4.1.branch.5.weight", "tail.weight"),
    "nafnet": ("intro.weight", "ending.weight", "encoders.0.0.beta"),
    "mprnet": ("stage1_encoder.encoder_level1.0.body.0.weight", "concat12.weight"),
    "dmphn": ("encoder_lv1.layer1.weight", "decoder_lv1.layer24.weight"),
    "dmphn-encoder": ("layer1.weight", "layer11.2.weight"),
    "dmphn-decoder": ("layer13.0.weight", "layer24.weight"),
}
"""Tensors that the networks of a family have and no others."""

_DETAILS: dict[str, Callable[[Shapes], str]] = {
    "kernel-space": _describe_kernel_space,
    "neurmap": _describe_neurmap,
    "dublid": _describe_dublid,
    "golf": _describe_golf,
    "golf-first-shot": _describe_first_shot,
    "nafnet": _describe_nafnet,
    "mprnet": _describe_mprnet,
    "dmphn": _describe_dmphn,
    "dmphn-encoder": _describe_dmphn_part,
    "dmphn-decoder": _describe_dmphn_part,
}


def _count(shapes: Shapes, pattern: str) -> int:
    """How many different beginnings of names fit a pattern."""
    return len({match[0] for name in shapes if (match := re.match(pattern, name))})


def _colours(channels: int) -> str:
    return "grey" if channels == 1 else "colour" if channels == 3 else f"{channels} input channels"
