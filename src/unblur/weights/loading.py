"""Weights into a network: all of them, or none and a sentence that says why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from unblur.errors import CheckpointError
from unblur.system.text import quote
from unblur.weights.architecture import Architecture, describe_weights
from unblur.weights.checkpoint import Checkpoint

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

__all__ = ["load_into"]


def load_into(
    network: Module, checkpoint: Checkpoint, *, expected: str, architectures: Iterable[Architecture] = ()
) -> tuple[str, ...]:
    """Give a network its weights.

    Args:
        network: Gets every tensor of the checkpoint, in the type of numbers that it has itself; unchanged on an error.
        checkpoint: Must have exactly the network's tensors.
        expected: What the network is, for people: `DUBLID with 10 layers of 16 channels, grey`.
        architectures: Networks that a message can name where the weights are those of another one.

    Returns:
        Notes for the user, such as that half precision was converted.

    Raises:
        CheckpointError: A tensor is missing, too many or of another shape or kind of number.
    """
    own = network.state_dict()
    _check_match(own, checkpoint, expected, architectures)
    network.load_state_dict({name: checkpoint.tensors[name].to(own[name].dtype) for name in own}, strict=True)
    converted = {
        (_words(checkpoint.tensors[name]), _words(own[name]))
        for name in own
        if checkpoint.tensors[name].dtype != own[name].dtype
    }
    return tuple(
        f"the weights are stored as {stored} and were converted to {used}" for stored, used in sorted(converted)
    )


def _check_match(
    own: Mapping[str, Tensor], checkpoint: Checkpoint, expected: str, architectures: Iterable[Architecture]
) -> None:
    given = checkpoint.tensors
    missing = [name for name in own if name not in given]
    extra = [name for name in given if name not in own]
    unlike = [name for name in own if name in given and not _is_alike(own[name], given[name])]
    if not (missing or extra or unlike):
        return
    first = f"{quote(unlike[0])} is {_shape(given[unlike[0]])}, not {_shape(own[unlike[0]])}" if unlike else ""
    counts = [
        f"{len(names)} {what}"
        for names, what in ((missing, "missing"), (extra, "extra"), (unlike, "of another shape or type"))
        if names
    ]
    named = first or quote((missing or extra)[0])
    words = describe_weights(checkpoint, architectures)
    raise CheckpointError(f"is {words}, expected {expected}; {', '.join(counts)}, first: {named}")


def _is_alike(own: Tensor, given: Tensor) -> bool:
    return own.shape == given.shape and own.is_floating_point() == given.is_floating_point()


def _shape(tensor: Tensor) -> str:
    """As in `16x3x3x3 float32`."""
    return f"{'x'.join(map(str, tensor.shape)) or 'one number'} {_words(tensor)}"


def _words(tensor: Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")
