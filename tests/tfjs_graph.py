"""A small interpreter of TensorFlow.js graph models: node by node, in the order that their inputs allow.

It knows nothing of any network, so that a port of one can be compared with it.
"""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Callable, Mapping
from math import prod
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

Node = Mapping[str, Any]
Values = list[np.ndarray]

STORED = {"float32": np.float32, "int32": np.int32}
NUMBERS = {"DT_FLOAT": np.float64, "DT_INT32": np.int32}
"""Whatever the graph says, it is evaluated in double precision: what is compared with it has the errors by itself."""


def read_constants(manifest: list[dict[str, Any]], data: bytes) -> dict[str, np.ndarray]:
    """The constants by the name of their node.

    Args:
        manifest: `weightsManifest` of a graph model.
        data: Its shards, joined in order.
    """
    constants: dict[str, np.ndarray] = {}
    place = 0
    for weight in (weight for group in manifest for weight in group["weights"]):
        count, dtype = prod(weight["shape"]), np.dtype(STORED[weight["dtype"]])
        numbers = np.frombuffer(data, dtype, count, place).reshape(weight["shape"])
        constants[weight["name"]] = numbers.astype(np.float64) if dtype == np.float32 else numbers
        place += count * dtype.itemsize
    assert place == len(data)
    return constants


def evaluate(model: Mapping[str, Any], data: bytes, image: np.ndarray) -> np.ndarray:
    """What a graph with one input and one output makes of an image `(n, h, w, c)`."""
    nodes = {node["name"]: node for node in model["modelTopology"]["node"]}
    (given,), (wanted,) = (
        [entry["name"].split(":")[0] for entry in model["signature"][side].values()] for side in ("inputs", "outputs")
    )
    values = {**read_constants(model["weightsManifest"], data), given: image.astype(np.float64)}
    uses = Counter(name for node in nodes.values() for name in inputs_of(node))
    for name in order(nodes, wanted, set(values)):
        node = nodes[name]
        sources = inputs_of(node)
        values[name] = np.asarray(OPERATIONS[node["op"]](node.get("attr", {}), [values[source] for source in sources]))
        for source in sources:  # large images need the room
            uses[source] -= 1
            if not uses[source]:
                del values[source]
    return values[wanted]


def inputs_of(node: Node) -> list[str]:
    """Names of the nodes whose first output it takes; the order of execution (`^name`) is no input."""
    sources = [source for source in node.get("input", []) if not source.startswith("^")]
    assert all(source.split(":")[1:] in ([], ["0"]) for source in sources)
    return [source.split(":")[0] for source in sources]


def order(nodes: Mapping[str, Node], wanted: str, known: set[str]) -> list[str]:
    """Nodes that the wanted one needs, each after its inputs."""
    ordered: list[str] = []
    done, waiting = set(known), [wanted]
    while waiting:
        name = waiting[-1]
        missing = [source for source in inputs_of(nodes[name]) if source not in done] if name not in done else []
        waiting += missing
        if not missing:
            waiting.pop()
            if name not in done:
                ordered.append(name)
                done.add(name)
    return ordered


def text(value: Mapping[str, str]) -> str:
    return base64.b64decode(value["s"]).decode()


def whole(value: Mapping[str, str] | None) -> int:
    return int((value or {"i": "0"})["i"])


def several(value: Mapping[str, Any]) -> list[int]:
    return [int(number) for number in value["list"].get("i", [])]


def tensor_of(values: np.ndarray) -> Tensor:
    return torch.from_numpy(np.require(values, requirements=["C", "W"]))


def convolve(attributes: Node, values: Values) -> np.ndarray:
    image, kernel = values
    _, down, across, _ = several(attributes["strides"])
    assert several(attributes.get("dilations", {"list": {}})) in ([], [1, 1, 1, 1])
    tensor = tensor_of(image).permute(0, 3, 1, 2)
    if text(attributes["padding"]) == "SAME":
        tensor = functional.pad(
            tensor, (*margins(image.shape[2], kernel.shape[1], across), *margins(image.shape[1], kernel.shape[0], down))
        )
    else:
        assert text(attributes["padding"]) == "VALID"
    weight = tensor_of(kernel).permute(3, 2, 0, 1)
    return functional.conv2d(tensor, weight, stride=(down, across)).permute(0, 2, 3, 1).numpy()


def margins(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """Zeros before and after, as TensorFlow's SAME has them."""
    missing = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return missing // 2, missing - missing // 2


def convolve_back(attributes: Node, values: Values) -> np.ndarray:
    """The gradient of a convolution with regard to its image: a transposed convolution."""
    size, kernel, image = values
    _, down, across, _ = several(attributes["strides"])
    assert text(attributes["padding"]) == "VALID"
    tensor, weight = tensor_of(image).permute(0, 3, 1, 2), tensor_of(kernel).permute(3, 2, 0, 1)
    answer = functional.conv_transpose2d(tensor, weight, stride=(down, across)).permute(0, 2, 3, 1).numpy()
    assert answer.shape == tuple(size)
    return answer


def einsum(attributes: Node, values: Values) -> np.ndarray:
    first, second = map(tensor_of, values)
    return torch.einsum(text(attributes["equation"]), first, second).numpy()


def slice_strided(attributes: Node, values: Values) -> np.ndarray:
    value, begin, end, stride = values
    assert not any(whole(attributes.get(f"{mask}_mask")) for mask in ("begin", "end", "ellipsis", "new_axis"))
    shrink = whole(attributes.get("shrink_axis_mask"))
    picked = [
        int(start) if shrink >> axis & 1 else slice(int(start), int(stop), int(step))
        for axis, (start, stop, step) in enumerate(zip(begin, end, stride, strict=True))
    ]
    return value[tuple(picked)]


def add_up(attributes: Node, values: Values) -> np.ndarray:
    value, axes = values
    return value.sum(tuple(np.atleast_1d(axes)), keepdims=attributes.get("keep_dims", {}).get("b", False))


def gather(attributes: Node, values: Values) -> np.ndarray:
    assert whole(attributes.get("batch_dims")) == 0
    value, indices, axis = values
    return np.take(value, indices, int(axis))


def cast(attributes: Node, values: Values) -> np.ndarray:
    return values[0].astype(NUMBERS[attributes["DstT"]["type"]])


def one(function: Callable[[np.ndarray], Any]) -> Callable[[Node, Values], Any]:
    return lambda _, values: function(values[0])


def all_of(function: Callable[..., Any]) -> Callable[[Node, Values], Any]:
    return lambda _, values: function(*values)


OPERATIONS: Mapping[str, Callable[[Node, Values], Any]] = {
    "Conv2D": convolve,
    "Conv2DBackpropInput": convolve_back,
    "Einsum": einsum,
    "StridedSlice": slice_strided,
    "Sum": add_up,
    "GatherV2": gather,
    "Cast": cast,
    "Pack": lambda attributes, values: np.stack(values, whole(attributes.get("axis"))),
    "ConcatV2": lambda _, values: np.concatenate(values[:-1], int(values[-1])),
    "Squeeze": lambda attributes, values: values[0].squeeze(tuple(several(attributes["squeeze_dims"]))),
    "ExpandDims": all_of(lambda value, axis: np.expand_dims(value, int(axis))),
    "Reshape": all_of(lambda value, shape: value.reshape(shape)),
    "Transpose": all_of(lambda value, axes: np.ascontiguousarray(value.transpose(axes))),
    "BroadcastTo": all_of(np.broadcast_to),
    "Range": all_of(lambda start, stop, step: np.arange(start, stop, step, dtype=start.dtype)),
    "SelectV2": all_of(np.where),
    "Identity": one(lambda value: value),
    "Shape": one(lambda value: np.array(value.shape, np.int32)),
    "Square": one(np.square),
    "Rsqrt": one(lambda value: 1 / np.sqrt(value)),
    "Reciprocal": one(lambda value: 1 / value),
    "Abs": one(np.abs),
    "Tanh": one(np.tanh),
    "Neg": one(np.negative),
    "Exp": one(np.exp),
    "Floor": one(np.floor),
    "Sign": one(np.sign),
    "AddV2": all_of(np.add),
    "Sub": all_of(np.subtract),
    "Mul": all_of(np.multiply),
    "RealDiv": all_of(np.divide),
    "FloorMod": all_of(np.mod),
    "FloorDiv": all_of(np.floor_divide),
    "Maximum": all_of(np.maximum),
    "Minimum": all_of(np.minimum),
    "NotEqual": all_of(np.not_equal),
    "Less": all_of(np.less),
    "LessEqual": all_of(np.less_equal),
    "Greater": all_of(np.greater),
    "GreaterEqual": all_of(np.greater_equal),
    "LogicalAnd": all_of(np.logical_and),
}
