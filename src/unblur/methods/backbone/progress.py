"""How far a network is with one photo: after each convolution, and measured in work, not in layers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

__all__ = ["run_watched"]


def run_watched(network: nn.Module, image: Tensor, tell: Callable[[float], None]) -> Any:
    """What the network returns for an image.

    Args:
        network: Any whose work is mostly convolutions.
        image: Its input.
        tell: Called after each convolution, in this thread, with the share of the work that is done; raises to stop.
    """
    total = _count_work(network, image.shape)
    done = 0

    def add(work: int) -> None:
        nonlocal done
        done += work
        tell(done / total)

    with _Watch(add):
        return network(image)


def _count_work(network: nn.Module, shape: Iterable[int]) -> int:
    """Without computing anything: the shapes alone go through the network."""
    amounts: list[int] = []
    shadow = deepcopy(network).to("meta")
    with _Watch(amounts.append):
        shadow(torch.empty(tuple(shape), device="meta"))
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
            weight = args[1]
            self._on_work(answer[:, 0].numel() * weight.numel())
        return answer
