"""Methods that are one network, computed by ONNX Runtime in place of PyTorch (`--engine onnx`)."""

from __future__ import annotations

from contextlib import suppress
from functools import lru_cache
from hashlib import sha256
from importlib.metadata import version
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor

from unblur.errors import UnblurError
from unblur.methods.base import Method, Restoration, Step, StepHook, Traits, ignore_step
from unblur.methods.catalog import list_entries
from unblur.methods.options import RestoreOptions
from unblur.system.atomic import atomic_write, make_folder
from unblur.weights.cache import cache_folder
from unblur.weights.checkpoint import Checkpoint
from unblur.weights.onnx_file import OnnxNetwork, Portable, make_onnx

__all__ = ["OnnxMethod", "PortableMethod", "choose_engine", "facts_of", "portable_names", "prepare_network"]


@runtime_checkable
class PortableMethod(Protocol):
    """A method whose work on a photo, or on a tile of it, is a network that can be exported."""

    checkpoint: Checkpoint

    def portable(self) -> Portable:
        """The network with all that comes before and after it."""
        ...


class OnnxMethod:
    """A method whose network ONNX Runtime computes; the file is made at the first use and kept beside the weights.

    Photos of a size that the exported network does not take are left to the method itself.

    Args:
        method: Ready to run.

    Raises:
        MissingExtraError: A package of the extra onnx is not installed.
    """

    def __init__(self, method: Any) -> None:
        self.settings: Any = method.settings
        self.traits: Traits = method.traits
        self._method: Method = method
        self._portable: Portable = method.portable()
        self._network = prepare_network(method, self._portable)

    def restore(self, blurry: Tensor, options: RestoreOptions, on_step: StepHook = ignore_step) -> Restoration[Tensor]:
        """See `Method.restore`; computed in float32."""
        if not self._portable.takes(*blurry.shape[-2:]):
            return self._method.restore(blurry, options, on_step)
        restored: list[Tensor] = []
        for photo in blurry.split(1):
            on_step(Step(len(restored) / len(blurry), "restoring"))
            restored.append(self._restore_one(photo))
        on_step(Step(1.0, "restored"))
        return Restoration(image=torch.cat(restored), facts={"precision": "float32", "engine": "onnx"})

    def _restore_one(self, blurry: Tensor) -> Tensor:
        least, most = blurry.aminmax()
        if least == most:  # a network makes something of nothing
            return blurry
        return self._network(blurry)


def choose_engine(method: Method, options: RestoreOptions) -> Method:
    """The method itself, or what computes its network in the engine that the options name.

    A method whose network is only a part of its work sees to the engine itself (`Traits.own_engine`).

    Raises:
        MissingExtraError: A package of the extra onnx is not installed.
    """
    wanted = options.engine == "onnx" and isinstance(method, PortableMethod) and not method.traits.own_engine
    return _prepared(method) if wanted else method


def prepare_network(method: PortableMethod, portable: Portable) -> OnnxNetwork:
    """A network of a method in ONNX Runtime; the file is made at the first use and kept beside the weights.

    Raises:
        MissingExtraError: A package of the extra onnx is not installed.
    """
    return OnnxNetwork(_model_of(method, portable))


def portable_names() -> tuple[str, ...]:
    """Methods whose network can be exported."""
    return tuple(name for name, entry in list_entries().items() if "engine" in entry.uses)


def facts_of(method: PortableMethod) -> dict[str, str]:
    """What an exported file says of itself: weights, settings, versions."""
    return {
        "weights": method.checkpoint.name,
        "weights_sha256": method.checkpoint.sha256,
        "settings": str(getattr(method, "settings", "")),
        "unblur": version("unblur"),
        "torch": version("torch"),
    }


@lru_cache(maxsize=2)
def _prepared(method: Method) -> OnnxMethod:
    """Made once for a folder of photos."""
    return OnnxMethod(method)


def _model_of(method: PortableMethod, portable: Portable) -> bytes:
    """The exported network, from the cache if it was exported before with the same weights, settings and versions."""
    facts = facts_of(method)
    key = sha256(repr((type(method).__qualname__, *{**facts, **portable.facts}.items())).encode()).hexdigest()
    path = cache_folder() / "onnx" / f"{key[:32]}.onnx"
    with suppress(OSError):
        return path.read_bytes()
    model = make_onnx(portable, facts)
    with suppress(UnblurError):  # the folder cannot be written to: then it is made each time
        make_folder(path.parent)
        atomic_write(path, model, overwrite=True)
    return model
