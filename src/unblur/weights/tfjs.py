"""Graph models of TensorFlow.js, read as data: the constants of a graph and who uses them. Nothing is ever evaluated.

A model is a JSON text and shards of numbers. `weightsManifest` names the shards, in order, and the constants, one after
the other in them; `modelTopology.node` lists the nodes of the graph by name, each with the names of its inputs.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unblur.errors import CheckpointError

__all__ = ["Constant", "GraphModel", "read_constants", "read_graph_model"]

_LARGEST_TEXT = 64 * 2**20
_MOST_ENTRIES = 200_000
"""Nodes, constants, shards; the largest graph that is read has 43,000 nodes."""
_MOST_AXES = 8
_TYPES = {"float32": np.dtype("<f4"), "int32": np.dtype("<i4")}
_SHARD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*\.bin")


@dataclass(frozen=True)
class Constant:
    """An entry of the manifest.

    Attributes:
        name: Name of its node.
        shape: Shape of its numbers.
        dtype: `float32` or `int32`.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str

    @property
    def size(self) -> int:
        """Bytes in the shards."""
        return prod(self.shape) * _TYPES[self.dtype].itemsize


@dataclass(frozen=True)
class GraphModel:
    """What a model's JSON text says.

    Attributes:
        shards: Names of the files of numbers, in order; plain names without folders.
        constants: Constants in the order of their numbers.
        users: For each name that is an input of a node, the first node that has it.
    """

    shards: tuple[str, ...]
    constants: tuple[Constant, ...]
    users: Mapping[str, str]


def read_graph_model(text: bytes) -> GraphModel:
    """The model of a JSON text.

    Raises:
        CheckpointError: It is no graph model, or asks for more than plain weights need: compressed numbers, other types
            of them, files elsewhere.
    """
    if len(text) > _LARGEST_TEXT:
        raise CheckpointError("has a model.json of more than 64 MB; it is refused")
    try:
        model = json.loads(text)
    except (ValueError, RecursionError):
        raise CheckpointError("has a model.json that cannot be read as JSON") from None
    try:
        groups = _list(model["weightsManifest"])
        nodes = _list(model["modelTopology"]["node"])
        if model["format"] != "graph-model" or len(groups) != 1:
            raise TypeError
        shards = tuple(_shard(path) for path in _list(groups[0]["paths"]))
        constants = tuple(_constant(entry) for entry in _list(groups[0]["weights"]))
        users = _find_users(nodes)
    except (KeyError, TypeError, AttributeError):
        raise CheckpointError("has a model.json that is no graph model of TensorFlow.js, or a damaged one") from None
    for names in (shards, [constant.name for constant in constants]):
        if len(set(names)) < len(names):
            raise CheckpointError("has a model.json that names a shard or a constant twice; it is refused")
    return GraphModel(shards, constants, users)


def read_constants(model: GraphModel, shards: Mapping[str, bytes]) -> dict[str, NDArray[Any]]:
    """The numbers of all constants, by name; views of one copy of the shards.

    Raises:
        CheckpointError: A shard is missing, or they hold more or fewer numbers than the model says.
    """
    missing = [name for name in model.shards if name not in shards]
    if missing:
        raise CheckpointError(f"lacks {missing[0]}, a shard that its model.json names")
    given, needed = (sum(sizes) for sizes in ((len(shards[name]) for name in model.shards), _sizes(model)))
    if given != needed:
        raise CheckpointError(f"has {given:,} bytes of numbers where its model.json describes {needed:,}")
    data, place = b"".join(shards[name] for name in model.shards), 0
    values: dict[str, NDArray[Any]] = {}
    for constant, size in zip(model.constants, _sizes(model), strict=True):
        numbers = np.frombuffer(data, _TYPES[constant.dtype], prod(constant.shape), place)
        values[constant.name] = numbers.reshape(constant.shape)
        place += size
    return values


def _sizes(model: GraphModel) -> list[int]:
    return [constant.size for constant in model.constants]


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError
    if len(value) > _MOST_ENTRIES:
        raise CheckpointError(f"has a model.json with a list of more than {_MOST_ENTRIES:,} entries; it is refused")
    return value


def _shard(path: Any) -> str:
    if not isinstance(path, str) or not _SHARD.fullmatch(path):
        raise CheckpointError(f"has a model.json that names {path!r} as a file of numbers; it is refused")
    return path


def _constant(entry: Any) -> Constant:
    name, shape, dtype = entry["name"], _list(entry["shape"]), entry["dtype"]
    if not isinstance(name, str) or len(shape) > _MOST_AXES:
        raise TypeError
    if any(type(length) is not int or length < 0 for length in shape):
        raise CheckpointError(f"has a constant {name!r} of an impossible shape; it is refused")
    if not isinstance(dtype, str) or dtype not in _TYPES or "quantization" in entry:
        raise CheckpointError(f"holds {name!r} as numbers of a type that is not read here, or compressed")
    return Constant(name, tuple(shape), dtype)


def _find_users(nodes: list[Any]) -> dict[str, str]:
    users: dict[str, str] = {}
    for node in nodes:
        name = node["name"]
        for source in _list(node.get("input", [])):
            if not isinstance(name, str) or not isinstance(source, str):
                raise TypeError
            users.setdefault(source.split(":")[0], name)
    return users
