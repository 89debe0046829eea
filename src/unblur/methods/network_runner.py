"""Runs networks on photos: on their device, in the precision that is fast there, with progress."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from unblur.system.allocator import keep_freed_memory
from unblur.system.precision import Precision, precision_for

__all__ = ["NetworkRunner", "OnShare", "WatchedNetwork"]

OnShare = Callable[[float], None]
"""Called after each convolution, in this thread, with the share of the work that is done; raises to stop."""


_CORNER = 64
"""Side in pixels of the corner that work is counted on; a multiple of what each network asks of its images."""


class NetworkRunner:
    """One network for photos on any device.

    Args:
        network: Its weights are copied once for each device and type of number.
        precision: Precision that the user asks for; photos in float64 are computed in float64 all the same.
        throughout: The network takes an image in other numbers than its weights', so all of it is computed in that
            precision; else convolutions are, and torch chooses for other layers.
        prepare: Makes of the network, a device and a type of number what is applied there in its place, which then
            sees to the numbers by itself.
    """

    def __init__(
        self,
        network: nn.Module,
        precision: Precision,
        *,
        throughout: bool = False,
        prepare: Callable[[Any, torch.device, torch.dtype], Callable[[Tensor], Any]] | None = None,
    ) -> None:
        self._network = network.requires_grad_(False)
        self._wanted: Precision = precision
        self._throughout = throughout or prepare is not None
        self._prepare = prepare
        self._prepared: dict[tuple[torch.device, torch.dtype], WatchedNetwork] = {}

    def __call__(self, image: Tensor, on_share: OnShare) -> Any:
        """What the network returns for an image; under autocast it may be in bfloat16.

        Args:
            image: Input of the network.
            on_share: Called with the share of the work that is done, see `OnShare`.
        """
        if image.device.type == "cpu":
            keep_freed_memory()
        precision = self.precision(image)
        by_layer = precision == torch.bfloat16 and not self._throughout
        with torch.autocast(image.device.type, precision, enabled=by_layer):
            return self._network_for(image)(image, on_share)

    def precision(self, image: Tensor) -> torch.dtype:
        """The numbers that its convolutions are computed in."""
        return precision_for(image, self._wanted)

    def _network_for(self, image: Tensor) -> WatchedNetwork:
        key = image.device, self.precision(image) if self._throughout else image.dtype
        if key not in self._prepared and self._prepare is not None:
            self._prepared[key] = WatchedNetwork(self._prepare(deepcopy(self._network), *key))
        if key not in self._prepared:
            network = deepcopy(self._network).to(*key)
            for weight in network.parameters():
                if weight.ndim == 4:  # convolutions are quickest with the channels of a pixel side by side
                    weight.data = weight.data.contiguous(memory_format=torch.channels_last)
            self._prepared[key] = WatchedNetwork(network)
        return self._prepared[key]


class WatchedNetwork:
    """A network that reports its progress.

    Args:
        network: Any network whose work is mostly convolutions, or a function that applies one.
    """

    def __init__(self, network: Callable[[Tensor], Any]) -> None:
        self._network = network
        self._work_per_pixel = 0.0

    def __call__(self, image: Tensor, on_share: OnShare) -> Any:
        """What the network returns for an image.

        Args:
            image: Input of the network.
            on_share: Called with the share of the work that is done, see `OnShare`.
        """
        self._work_per_pixel = self._work_per_pixel or _work_per_pixel(self._network, image)
        total, done = self._work_per_pixel * image[:, 0].numel(), 0

        def add(work: int) -> None:
            nonlocal done
            done += work
            on_share(min(done / total, 1.0))

        with _Watch(add):
            return self._network(image)


def _work_per_pixel(network: Callable[[Tensor], Any], image: Tensor) -> float:
    """From one pass over a corner of the image, which for many small layers is quicker than a pass of shapes alone.

    Convolutions of pooled features, whose work does not grow with the image, are negligible in all networks here.
    """
    corner = image[:1, :, :_CORNER, :_CORNER]
    amounts: list[int] = []
    with torch.no_grad(), _Watch(amounts.append):
        network(corner)
    return sum(amounts) / corner[:, 0].numel()


class _Watch(TorchFunctionMode):
    """Reports every convolution of its own thread, whatever module calls it."""

    def __init__(self, on_work: Callable[[int], None]) -> None:
        super().__init__()
        self._on_work = on_work

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type[Any]],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        answer = func(*args, **(kwargs or {}))
        if func in (torch.conv2d, torch.conv_transpose2d):
            image, weight = args[:2]
            places = answer if func is torch.conv2d else image
            self._on_work(places[:, 0].numel() * weight.numel())
        return answer
