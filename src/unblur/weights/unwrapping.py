"""From what training programs save to the weights themselves: dictionaries within dictionaries, prefixed names."""

from __future__ import annotations

from typing import Any

from unblur.errors import CheckpointError

__all__ = ["unwrap"]

_WRAPPERS = ("params_ema", "params", "state_dict", "model_state_dict", "model", "net", "net_state")
"""Where programs keep the weights; averaged ones first."""

_DEEPEST = 4
"""Dictionaries within each other; one may even hold itself."""

_PREFIXES = ("module.", "netG.")
"""Prefixes of the names of networks that were trained within another."""


def unwrap(saved: Any, kind: type[Any]) -> dict[str, Any]:
    """The weights by name, without the prefixes that training left on all of them.

    Args:
        saved: Contents of the file.
        kind: Type that stands for a tensor.

    Raises:
        CheckpointError: There are no weights in it.
    """
    weights = saved
    for _ in range(_DEEPEST):
        if _is_weights(weights, kind):
            return _without_prefixes(weights)
        weights = next((weights[name] for name in _WRAPPERS if isinstance(weights.get(name), dict)), {})
    raise CheckpointError(f"holds no dictionary of tensors, neither by itself nor under one of: {', '.join(_WRAPPERS)}")


def _is_weights(value: Any, kind: type[Any]) -> bool:
    if not isinstance(value, dict):
        raise CheckpointError(f"holds a {type(value).__name__} and no dictionary of tensors")
    return bool(value) and all(isinstance(name, str) and isinstance(item, kind) for name, item in value.items())


def _without_prefixes(weights: dict[str, Any]) -> dict[str, Any]:
    for prefix in _PREFIXES:
        if all(name.startswith(prefix) for name in weights):
            return _without_prefixes({name.removeprefix(prefix): value for name, value in weights.items()})
    return weights
