"""A tiny graph model as the exporter of MAXIM's writes them: each kind of layer once, with random weights."""

import base64
import gzip
import io
import json
import tarfile
from typing import Any

import numpy as np

__all__ = ["Made", "pack", "tiny_graph"]

ROOT = "StatefulPartitionedCall/jax2tf_apply_/Wrapper/backbone/"
SHARD_BYTES = 4096


class Made:
    """A graph in the making.

    Attributes:
        nodes: Nodes in the order they were added.
        weights: The manifest's list.
        data: The numbers.
    """

    def __init__(self) -> None:
        self.nodes: list[dict[str, Any]] = [{"name": "xs_0", "op": "Placeholder", "attr": {}}]
        self.weights: list[dict[str, Any]] = []
        self.data = b""

    def constant(self, name: str, values: Any) -> str:
        array = np.asarray(values)
        array = array.astype("<i4" if array.dtype.kind == "i" else "<f4")
        self.nodes.append({"name": name, "op": "Const", "attr": {}})
        dtype = "int32" if array.dtype.kind == "i" else "float32"
        self.weights.append({"name": name, "shape": list(array.shape), "dtype": dtype})
        self.data += array.tobytes()
        return name

    def node(self, name: str, op: str, *inputs: str, **attributes: Any) -> str:
        self.nodes.append({"name": name, "op": op, "input": list(inputs), "attr": attributes})
        return name

    def model(self) -> dict[str, Any]:
        shards = -(-len(self.data) // SHARD_BYTES)
        paths = [f"group1-shard{number}of{shards}.bin" for number in range(1, shards + 1)]
        return {
            "format": "graph-model",
            "signature": {"inputs": {"xs_0": {"name": "xs_0:0"}}, "outputs": {"output_0": {"name": "Identity:0"}}},
            "modelTopology": {"node": self.nodes, "library": {}, "versions": {}},
            "weightsManifest": [{"paths": paths, "weights": self.weights}],
        }

    def shards(self) -> dict[str, bytes]:
        paths = self.model()["weightsManifest"][0]["paths"]
        return {path: self.data[SHARD_BYTES * at : SHARD_BYTES * (at + 1)] for at, path in enumerate(paths)}

    def text(self) -> bytes:
        return json.dumps(self.model()).encode()


def tiny_graph(width: int = 4, size: tuple[int, int] = (8, 12)) -> Made:
    """Convolution, norm, dense layer, gelu, halving and doubling convolution, for one image of a size."""
    made, rng = Made(), np.random.default_rng(0)
    height, columns = size

    def weight(*shape: int) -> np.ndarray:
        return rng.normal(size=shape)

    def bias(layer: str, source: str, channels: int) -> str:
        name = made.constant(f"{ROOT}{layer}/Reshape", weight(1, 1, 1, channels))
        return made.node(f"{ROOT}{layer}/jit_fn_/AddV2", "AddV2", source, name)

    def convolve(layer: str, source: str, channels: tuple[int, int], side: int, stride: int) -> str:
        kernel = made.constant(f"{ROOT}{layer}/transpose_3", weight(side, side, *channels))
        strides = {"list": {"i": ["1", str(stride), str(stride), "1"]}}
        found = made.node(f"{ROOT}{layer}/Conv2D", "Conv2D", source, kernel, strides=strides, padding=text_of("SAME"))
        return bias(layer, found, channels[1])

    features = convolve("stage_0_input_conv_0", "xs_0", (3, width), 3, 1)
    features = normalise(made, "block_0/LayerNorm", features, weight(width), weight(width))
    kernel = made.constant("StatefulPartitionedCall/jax2tf_arg_7/ReadVariableOp", weight(width, 2 * width))
    dense = f"{ROOT}block_0/in_project"
    equation = text_of("abcg,gf->abcf")
    features = made.node(f"{dense}/einsum/Einsum", "Einsum", features, kernel, equation=equation)
    features = gelu(made, bias("block_0/in_project", features, 2 * width))
    features = convolve("block_0/Conv_1", features, (2 * width, width), 4, 2)
    kernel = made.constant(f"{ROOT}block_1/ConvTranspose_0/transpose_4", weight(2, 2, 3, width))
    shape = made.constant("StatefulPartitionedCall/shape", [1, height, columns, 3])
    strides = {"list": {"i": ["1", "2", "2", "1"]}}
    back = f"{ROOT}block_1/ConvTranspose_0"
    features = made.node(
        f"{back}/conv2d_transpose",
        "Conv2DBackpropInput",
        shape,
        kernel,
        features,
        strides=strides,
        padding=text_of("VALID"),
    )
    made.node("Identity", "Identity", bias("block_1/ConvTranspose_0", features, 3))
    return made


def normalise(made: Made, layer: str, source: str, scale: np.ndarray, shift: np.ndarray) -> str:
    """Mean and variance as flax takes them, the variance as mean of squares less square of mean."""
    inner = f"{ROOT}{layer}/jit_fn_"
    axes = made.constant(f"{ROOT}{layer}/axes", np.array([-1]))
    share = made.constant(f"{ROOT}{layer}/share", np.float32(1 / len(scale)))
    epsilon = made.constant(f"{ROOT}{layer}/epsilon", np.float32(1e-6))
    mean = made.node(f"{inner}/Mul", "Mul", summed(made, inner, source, axes), share)
    square = made.node(f"{inner}/Square", "Square", source)
    mean_square = made.node(f"{inner}/Mul_1", "Mul", summed(made, f"{inner}/Square", square, axes), share)
    variance = made.node(f"{inner}/Sub", "Sub", mean_square, made.node(f"{inner}/Square_1", "Square", mean))
    root = made.node(f"{inner}/Rsqrt", "Rsqrt", made.node(f"{inner}/AddV2", "AddV2", variance, epsilon))
    centred = made.node(f"{inner}/Sub_1", "Sub", source, mean)
    factor = made.constant(f"{ROOT}{layer}/Reshape_2", scale.reshape(1, 1, 1, -1))
    added = made.constant(f"{ROOT}{layer}/Reshape_3", shift.reshape(1, 1, 1, -1))
    scaled = made.node(f"{inner}/Mul_4", "Mul", made.node(f"{inner}/Mul_3", "Mul", centred, root), factor)
    return made.node(f"{inner}/AddV2_1", "AddV2", scaled, added)


def summed(made: Made, name: str, source: str, axes: str) -> str:
    return made.node(f"{name}/Sum", "Sum", source, axes, keep_dims={"b": True})


def gelu(made: Made, source: str) -> str:
    """The tanh form."""
    name = f"{ROOT}gelu"
    half, one, cubic, root = (
        made.constant(f"{name}/{number}", np.float32(number)) for number in (0.5, 1.0, 0.044715, 0.7978845608)
    )
    cube = made.node(f"{name}/Mul_1", "Mul", made.node(f"{name}/Square", "Square", source), source)
    inner = made.node(f"{name}/AddV2", "AddV2", source, made.node(f"{name}/Mul_2", "Mul", cube, cubic))
    bent = made.node(f"{name}/Tanh", "Tanh", made.node(f"{name}/Mul_3", "Mul", inner, root))
    share = made.node(f"{name}/Mul_4", "Mul", made.node(f"{name}/AddV2_1", "AddV2", bent, one), half)
    return made.node(f"{name}/Mul_5", "Mul", share, source)


def text_of(value: str) -> dict[str, str]:
    return {"s": base64.b64encode(value.encode()).decode()}


def pack(files: dict[str, bytes], *, more: list[tarfile.TarInfo] | None = None) -> bytes:
    """A package as npm packs them: files of `package/`, then members without contents."""
    buffer = io.BytesIO()
    with gzip.GzipFile(fileobj=buffer, mode="wb", mtime=0) as plain, tarfile.open(fileobj=plain, mode="w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(f"package/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
        for member in more or []:
            archive.addfile(member)
    return buffer.getvalue()
