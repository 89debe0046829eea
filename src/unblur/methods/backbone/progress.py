"""How far a network is with one photo: after each convolution, and measured in work, not in layers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

__all__ = ["WatchedNetwork"]


class WatchedNetwork:
    """A network that tells how far it is.

    Args:
        network: Any whose work is mostly convolutions.
    """

    def __init__(self, network: nn.Module) -> None:
        self._network = network
        self._totals: dict[torch.Size, int] = {}

    def __call__(self, image: Tensor, tell: Callable[[float], None]) -> Any:
        """What the network returns for an image.

        Args:
            image: Its input.
            tell: Called after each convolution, in this thread, with the share of the work that is done; raises to
                stop.
        """
        if image.shape not in self._totals:
            self._totals[image.shape] = _count_work(self._network, image)
        total, done = self._totals[image.shape], 0

        def add(work: int) -> None:
            nonlocal done
            done += work
            tell(done / total)

        with _Watch(add):
            return self._network(image)


def _count_work(network: nn.Module, image: Tensor) -> int:
    """Without computing anything: the shapes alone go through the network."""
    amounts: list[int] = []
    without_numbers = {id(weight): nn.Parameter(weight.to("meta"), False) for weight in network.parameters()}
    shadow = deepcopy(network, without_numbers)
    with _Watch(amounts.append):
        shadow(image.to("meta"))
    return sum(amounts)


class _Watch(TorchFunctionMode):
    """Sees every convolution of its own thread, whatever module asks for it."""

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
