"""Networks as ONNX files, which other programs compute without PyTorch; here ONNX Runtime does, on the processor."""

from __future__ import annotations

import io
import itertools
import logging
import os
import warnings
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from unblur.errors import UnblurError
from unblur.system.atomic import atomic_write
from unblur.system.extras import import_extra

__all__ = ["AGREEMENT", "OnnxNetwork", "Portable", "make_onnx", "write_onnx"]

AGREEMENT = 1e-3
"""Largest difference from PyTorch, of values from 0 to 1, with which a file is written."""

_PURPOSE = "the ONNX form of a network"
_INPUT, _OUTPUT = "blurry", "restored"
_SIDES = "rows", "columns"
_MORE = 3
_STEPS = 4
"""Sides that a network is exported and checked at are about so many of its multiples."""


@dataclass(frozen=True)
class Portable:
    """The network of a method in the form in which it leaves PyTorch.

    Attributes:
        network: Restores a photo `(1, 3, H, W)`, sRGB-encoded, in [0, 1], with all that comes before and after.
        multiples: Height and width of the photo are multiples of these.
        smallest: Least height and width in pixels.
        largest: Most pixels of a photo; None: as many as memory is enough for.
        outputs: What the network gives, in order; with more than one name, a tuple of as many tensors.
        traced: By the older exporter, which follows one photo through the network: for networks of thousands of steps
            with sizes in them, which the newer one takes a quarter of an hour to reason about. Whoever sets it makes
            sure that nothing in the network branches by a size.
        more: How many multiples larger, on one side, the two photos are that a file is checked with.
        facts: What the file says of itself beside the facts of the method.
    """

    network: nn.Module
    multiples: tuple[int, int] = (1, 1)
    smallest: int = 1
    largest: int | None = None
    outputs: tuple[str, ...] = (_OUTPUT,)
    traced: bool = False
    more: int = _MORE
    facts: Mapping[str, str] = field(default_factory=dict[str, str])

    def takes(self, height: int, width: int) -> bool:
        """Whether photos of a size can be given to it as they are."""
        return min(height, width) >= self.smallest and (self.largest is None or height * width <= self.largest)


class OnnxNetwork:
    """An exported network, computed by ONNX Runtime.

    Args:
        model: The bytes of the file.

    Raises:
        MissingExtraError: ONNX Runtime is not installed.
    """

    def __init__(self, model: bytes) -> None:
        runtime = import_extra("onnxruntime", "the engine onnx")
        options = runtime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        self._session = runtime.InferenceSession(model, options, providers=["CPUExecutionProvider"])

    def __call__(self, blurry: Float[Tensor, "1 3 h w"]) -> Float[Tensor, "1 3 h w"]:
        """The restored photo, computed in float32 on the processor, in the type and on the device of the given one."""
        return self.run(blurry)[0]

    def run(self, blurry: Float[Tensor, "1 3 h w"]) -> list[Tensor]:
        """Everything that the network gives, in the order of `Portable.outputs`."""
        given = {_INPUT: blurry.detach().float().cpu().contiguous().numpy()}
        return [torch.from_numpy(values).to(blurry) for values in self._session.run(None, given)]


def write_onnx(
    portable: Portable, output: str | os.PathLike[str], facts: dict[str, str], *, overwrite: bool = False
) -> float:
    """Export a network to a file that takes photos of every size that it takes itself.

    Args:
        portable: The network.
        output: Name of the file.
        facts: What the file says of itself.
        overwrite: Replace a file of that name.

    Returns:
        The largest difference from PyTorch on two photos of other sizes than it was exported with.

    Raises:
        MissingExtraError: A package of the extra onnx is not installed.
        UnblurError: The file would differ from PyTorch by more than `AGREEMENT`.
        WriteError: The name is taken.
        OutputError: The folder cannot be written to.
    """
    model = make_onnx(portable, facts)
    difference = _compare(portable, OnnxNetwork(model))
    if not difference <= AGREEMENT:  # not a number, either
        raise UnblurError(f"the exported network differs from PyTorch by {difference:.2g} and was not written")
    atomic_write(output, model, overwrite=overwrite)
    return difference


def make_onnx(portable: Portable, facts: dict[str, str]) -> bytes:
    """The bytes of the file, see `write_onnx`; not compared with PyTorch.

    Raises:
        MissingExtraError: A package of the extra onnx is not installed.
    """
    for package in ("onnx", "onnxscript"):
        import_extra(package, _PURPOSE)
    with torch.no_grad(), _quiet():
        model = _traced(portable) if portable.traced else _exported(portable)
    for key, value in {**facts, **portable.facts}.items():
        model.metadata_props.add(key=key, value=value)
    return model.SerializeToString()


def _exported(portable: Portable) -> Any:
    """The network as `onnx.ModelProto`, its sizes as symbols."""
    sides = {
        2 + axis: multiple * torch.export.Dim(name, min=-(-portable.smallest // multiple))
        for axis, (name, multiple) in enumerate(zip(_SIDES, portable.multiples, strict=True))
    }
    program = torch.onnx.export(
        portable.network.eval(),
        (_photo(portable, 1, 2),),
        dynamo=True,
        dynamic_shapes=(sides,),
        input_names=[_INPUT],
        output_names=list(portable.outputs),
        verbose=False,
    )
    if program is None:  # for the type checker: with dynamo it never is
        raise UnblurError("the network could not be exported")
    return program.model_proto


def _traced(portable: Portable) -> Any:
    """The network as `onnx.ModelProto`, as one photo went through it; see `Portable.traced`."""
    file = io.BytesIO()
    torch.onnx.export(
        portable.network.eval(),
        (_photo(portable, 1, 2),),
        file,  # pyright: ignore[reportArgumentType] - the stub knows what the newer exporter takes
        dynamo=False,
        dynamic_axes={name: dict(enumerate(_SIDES, 2)) for name in (_INPUT, _OUTPUT)},
        input_names=[_INPUT],
        output_names=list(portable.outputs),
    )
    return import_extra("onnx", _PURPOSE).load_from_string(file.getvalue())


@contextmanager
def _quiet() -> Generator[None]:
    """Without what exporters say of their insides, and of sizes taken for constants, which the comparison finds."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


@torch.no_grad()
def _compare(portable: Portable, exported: OnnxNetwork) -> float:
    """The largest difference on photos of two sizes, neither that of the export nor square."""
    photos = [_photo(portable, *more) for more in itertools.permutations((0, portable.more), 2)]
    expected = [portable.network(photo) for photo in photos]
    return max(
        float((wanted - given).abs().max())
        for photo, answers in zip(photos, expected, strict=True)
        for wanted, given in zip(answers if isinstance(answers, tuple) else [answers], exported.run(photo), strict=True)
    )


def _photo(portable: Portable, *more: int) -> Float[Tensor, "1 3 h w"]:
    """Random numbers of a size that the network takes; `more` multiples than the least that tries all its parts."""
    least = (-(-max(portable.smallest, _STEPS * multiple) // multiple) for multiple in portable.multiples)
    size = [(steps + extra) * multiple for steps, extra, multiple in zip(least, more, portable.multiples, strict=True)]
    return torch.rand(1, 3, *size, generator=torch.Generator().manual_seed(0))
