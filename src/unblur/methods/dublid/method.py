"""The method `dublid`."""

from __future__ import annotations

import math
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Literal

import torch
import torch.nn.functional as F  # noqa: N812 - the name that everyone gives it
from torch import Tensor

from unblur.blur.kernels import centre_kernel
from unblur.errors import KernelError, RegionError
from unblur.images.tensors import BT709, brightness
from unblur.methods.base import Step, StepHook, Traits, ignore_step, steps_of_part
from unblur.methods.dublid.choice import (
    FIRST_ASKED,
    Verdict,
    choose_network,
    decide_encoding,
    informative_part,
    is_settled,
    judge_kernel,
    prefers_line,
)
from unblur.methods.dublid.entry import DUBLID
from unblur.methods.dublid.model import Dublid as Network
from unblur.methods.dublid.networks import load_networks
from unblur.methods.dublid.polish import find_line, polish_kernel
from unblur.methods.dublid.portable import make_portable
from unblur.methods.dublid.settings import DublidSettings
from unblur.methods.dublid.sizes import NetworkLooker
from unblur.methods.kernel_method import BlurEstimate, KernelMethod, Solve, Solving
from unblur.methods.onnx_engine import prepare_network
from unblur.methods.options import RestoreOptions
from unblur.methods.reduced_size import size_of
from unblur.methods.region import find_informative
from unblur.methods.sizes import MEGAPIXEL_SIZES, look_by_size
from unblur.methods.transforms import Encode
from unblur.system.allocator import keep_freed_memory
from unblur.weights.checkpoint import Checkpoint
from unblur.weights.onnx_file import OnnxNetwork, Portable

__all__ = ["Dublid"]

_GROUP = 4
"""Filters at a time on a processor: their spectra stay in the cache."""
_RIM = 2
_CUT = 0.01
"""More light than this in the rim of the box means that the blur is larger."""
_FAINTEST = 0.03
"""Kernel values below this share of the largest are the network's uncertainty and would ring."""
_SMALLEST = 48
"""Pixels on the shorter side from which the blur of a photo can be estimated."""
_NETWORK_SHARE = 0.6
"""Of the work on one network's answer, for progress; the rest is polishing."""


@dataclass(frozen=True)
class _Found:
    """The answer of a network at some size of the photo.

    Attributes:
        network: Its name; empty: there is but one.
        kernel: Kernel at the photo's own size, centred.
        image: The network's own, where it is wanted and the network was given the whole photo at its own size.
        level: How often the photo was halved.
        cut: The blur did not fit at any size.
        origin: Of the kernel: the network's, polished, or a line that was fitted to the photo.
    """

    network: str
    kernel: Tensor
    image: Tensor | None
    level: int
    cut: bool
    origin: Literal["network", "polished", "line"] = "network"


class Dublid(KernelMethod):
    """A network finds the kernel on the photo's brightness; colours are restored with that kernel.

    Args:
        settings: Settings of the method.
        checkpoint: Weights of a grey or a colour network, or of several; each photo gets their best answer.

    Raises:
        CheckpointError: Weights of another network.
    """

    traits = Traits(uses=DUBLID.uses, own_engine=True)

    def __init__(self, settings: DublidSettings, checkpoint: Checkpoint) -> None:
        self.settings = settings
        self.checkpoint = checkpoint
        self.networks = load_networks(checkpoint)
        self._ready: dict[tuple[str, torch.device, torch.dtype], Network] = {}
        self._exported: dict[str, OnnxNetwork] = {}

    def portable(self) -> Portable:
        """See `PortableMethod.portable`; all networks of the weights, one after another along the first axis.

        Raises:
            UsageError: The networks take colour photos.
        """
        return make_portable(self.networks, _SMALLEST)

    def solving(self, options: RestoreOptions) -> Solving:
        """See `KernelMethod.solving`."""
        del options
        return Solving(smoothness=self.settings.solver_smoothness)

    def estimate(self, blurry: Tensor, options: RestoreOptions, on_step: StepHook = ignore_step) -> BlurEstimate:
        """See `KernelMethod.estimate`; of a large photo at a reduced size first."""
        found, size = look_by_size(blurry, MEGAPIXEL_SIZES, NetworkLooker(self._estimate), options, on_step)
        return found.found_at(size, size_of(blurry))

    def _estimate(self, blurry: Tensor, options: RestoreOptions, on_step: StepHook) -> BlurEstimate:
        if min(blurry.shape[-2:]) < _SMALLEST:
            sentence = f"a photo below {_SMALLEST} pixels is too small to estimate its blur; it is returned as it was"
            return BlurEstimate(None, refusal=sentence)
        found, verdict = self._best_answer(blurry, options, on_step)
        if verdict.fault is not None:
            return BlurEstimate(found.kernel, refusal=f"the blur {verdict.fault}; the photo is returned as it was")
        finish = self._retrieval(blurry, found, options) if self.settings.final == "retrieval" else None
        facts = {
            "level": found.level,
            "kernel_from": found.origin,
            "final": "solver" if finish is None else "retrieval",
        }
        if found.network:
            facts["network"] = found.network
        # The network's own image has the encoding that the network worked in.
        encoding = verdict.encoding if finish is None else _encode_of(options).encoding
        return BlurEstimate(found.kernel, encoding, finish=finish, warnings=_doubts(found), facts=facts)

    def _best_answer(self, blurry: Tensor, options: RestoreOptions, on_step: StepHook) -> tuple[_Found, Verdict]:
        """The answer of the network that suits the photo, and what is known of it."""
        found: dict[str, _Found] = {}
        verdicts: dict[str, Verdict] = {}
        names = sorted(self.networks, key=lambda name: name != FIRST_ASKED[self.settings.polishes])
        for number, name in enumerate(names):
            on_part = steps_of_part(on_step, number, len(names))
            answer, verdict = self._answer_of(name, blurry, options, on_part)
            if is_settled(name, answer.kernel, verdict, polished=self.settings.polishes):
                return answer, verdict
            found[name], verdicts[name] = answer, verdict
        best = choose_network(verdicts)
        return found[best], verdicts[best]

    def _answer_of(
        self, name: str, blurry: Tensor, options: RestoreOptions, on_step: StepHook
    ) -> tuple[_Found, Verdict]:
        """One network's kernel, polished if that is asked for, and what the photo says of it."""
        on_find, on_polish = (
            steps_of_part(on_step, 0, 1, phase=phase)
            for phase in ((0.0, _NETWORK_SHARE if self.settings.polishes else 1.0), (_NETWORK_SHARE, 1.0))
        )
        answer = self._find(blurry, options, on_find, name)
        part = informative_part(blurry, answer.kernel, options)
        if self.settings.polishes:
            polished = polish_kernel(blurry, answer.kernel, options, on_polish)
            answer, encoding = replace(answer, kernel=polished.kernel, origin="polished"), polished.encoding
        else:
            encoding = decide_encoding(part, answer.kernel, options)
        verdict = judge_kernel(part, answer.kernel, encoding, self.settings.solver_smoothness)
        line = find_line(part, answer.kernel, encoding) if self.settings.polishes else None
        if line is not None:
            of_line = judge_kernel(part, line, encoding, self.settings.solver_smoothness)
            if prefers_line(of_line, verdict):
                return replace(answer, kernel=line, origin="line"), of_line
        return answer, verdict

    def _find(self, blurry: Tensor, options: RestoreOptions, on_step: StepHook, name: str) -> _Found:
        """One network's kernel of one photo `(1, C, H, W)`, at a coarser size if it is too large for the box."""
        photo = _encode_of(options).forward(_cut_out(blurry, options))
        level = self._first_level(options, self.networks[name].kernel_size)
        while True:
            on_step(Step(0.0, "looking for the blur"))
            prepared = _prepare(photo, level, self.networks[name], self.settings.pixels_seen)
            found, image = (self._run if options.engine == "torch" else self._run_exported)(name, prepared)
            cut = _light_on_rim(found) > _CUT
            can_be_halved = level < self.settings.levels and min(photo.shape[-2:]) >= _SMALLEST * 2 ** (level + 1)
            if not cut or not can_be_halved or options.kernel_size is not None:
                break
            level += 1
        whole = level == 0 and prepared.shape[-2:] == blurry.shape[-2:]
        kernel = _enlarged(_without_faint(found), 2**level)
        return _Found(name, kernel, image if whole else None, level, cut)

    def _first_level(self, options: RestoreOptions, box: int) -> int:
        """How often the photo is halved for a blur of the size that the user names to fit."""
        size = options.kernel_size or 1
        level = max(0, math.ceil(math.log2(size / box)))
        if level > self.settings.levels:
            most = box * 2**self.settings.levels
            raise KernelError(f"this method finds kernels of up to {most} pixels; {size} are too many")
        return level

    def _retrieval(self, blurry: Tensor, found: _Found, options: RestoreOptions) -> Callable[[Solve], Tensor] | None:
        """The network's own image; of a colour photo its brightness, under the solver's colours."""
        if found.image is None:
            return None
        own = _encode_of(options).backward(found.image)
        if own.shape == blurry.shape:
            return lambda _: own

        def recolour(solve: Solve) -> Tensor:
            image = solve()
            return image + (own - brightness(image, BT709))

        return recolour

    def _run(self, name: str, seen: Tensor) -> tuple[Tensor, Tensor | None]:
        """The kernel, and the network's own image where it is wanted."""
        if seen.device.type == "cpu":
            keep_freed_memory()
        place = name, seen.device, seen.dtype
        if place not in self._ready:
            network = deepcopy(self.networks[name]).to(seen.device, seen.dtype).requires_grad_(False)
            network.group = _GROUP if seen.device.type == "cpu" else network.channels
            self._ready[place] = network
        if self.settings.final == "solver":
            return self._ready[place].find_kernel(seen), None
        estimate = self._ready[place](seen, centred=True)
        return estimate.kernel, estimate.image

    def _run_exported(self, name: str, seen: Tensor) -> tuple[Tensor, Tensor | None]:
        """The same by ONNX Runtime."""
        if name not in self._exported:
            self._exported[name] = prepare_network(self, make_portable({name: self.networks[name]}, _SMALLEST))
        image, kernel = self._exported[name].run(seen.expand(-1, 3, -1, -1))
        return kernel, image[:, :1]


def _prepare(photo: Tensor, level: int, network: Network, pixels: int) -> Tensor:
    """What a network sees: the channels that it takes, halved so often, the part with most edges."""
    seen = brightness(photo, BT709) if network.in_channels == 1 else photo.expand(-1, 3, -1, -1)
    for _ in range(level):
        seen = F.avg_pool2d(seen, 2)
    top, left, height, width = find_informative(brightness(seen, BT709), pixels, network.kernel_size)
    return seen[..., top : top + height, left : left + width]


def _encode_of(options: RestoreOptions) -> Encode:
    """The network works on the values as they are stored, unless the caller says that the blur is in linear light."""
    return Encode("linear" if options.encoding == "linear" else "encoded")


def _cut_out(blurry: Tensor, options: RestoreOptions) -> Tensor:
    if options.region is None:
        return blurry
    x, y, width, height = options.region
    if min(width, height) < _SMALLEST:
        raise RegionError(f"the region is {width}x{height} pixels; the blur cannot be estimated below {_SMALLEST}")
    return blurry[..., y : y + height, x : x + width]


def _light_on_rim(kernel: Tensor) -> float:
    inner = kernel[..., _RIM:-_RIM, _RIM:-_RIM]
    return 1 - float(inner.sum() / kernel.sum())


def _without_faint(kernel: Tensor) -> Tensor:
    strong = torch.where(kernel < _FAINTEST * kernel.amax((-2, -1), keepdim=True), 0.0, kernel)
    return strong / strong.sum((-2, -1), keepdim=True)


def _enlarged(kernel: Tensor, factor: int) -> Tensor:
    """The kernel of a photo that is so many times larger, of odd size, sum 1."""
    if factor == 1:
        return kernel
    side = kernel.shape[-1] * factor // 2 * 2 + 1
    larger = F.interpolate(kernel, size=(side, side), mode="bicubic", align_corners=False).clamp_min(0)
    return centre_kernel(larger / larger.sum((-2, -1), keepdim=True))


def _doubts(found: _Found) -> tuple[str, ...]:
    doubts: list[str] = []
    if found.level:
        doubts.append(
            f"the blur is larger than the box it is looked for in, so it was found on the photo at 1/{2**found.level} "
            "of its size and is less exact"
        )
    if found.cut:
        doubts.append("the blur reaches the border of the box it was looked for in and may be larger")
    return tuple(doubts)
