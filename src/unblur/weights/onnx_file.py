"""Networks as ONNX files, which other programs compute without PyTorch; here ONNX Runtime does, on the processor."""

from __future__ import annotations

import itertools
import logging
import os
import warnings
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

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
    """

    network: nn.Module
    multiples: tuple[int, int] = (1, 1)
    smallest: int = 1
    largest: int | None = None

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
        (restored,) = self._session.run([_OUTPUT], {_INPUT: blurry.detach().float().cpu().contiguous().numpy()})
        return torch.from_numpy(restored).to(blurry)


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
    sides = {
        2 + axis: multiple * torch.export.Dim(name, min=-(-portable.smallest // multiple))
        for axis, (name, multiple) in enumerate(zip(("rows", "columns"), portable.multiples, strict=True))
    }
    with torch.no_grad(), _quiet():
        program = torch.onnx.export(
            portable.network.eval(),
            (_photo(portable, 1, 2),),
            dynamo=True,
            dynamic_shapes=(sides,),
            input_names=[_INPUT],
            output_names=[_OUTPUT],
            verbose=False,
        )
    if program is None:  # for the type checker: with dynamo it never is
        raise UnblurError("the network could not be exported")
    model = program.model_proto
    for key, value in facts.items():
        model.metadata_props.add(key=key, value=value)
    return model.SerializeToString()


@contextmanager
def _quiet() -> Generator[None]:
    """Without what the exporter says of its own insides: deprecated calls, and packages that are not installed."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            for kind in (DeprecationWarning, FutureWarning):
                warnings.simplefilter("ignore", kind)
            yield
    finally:
        logger.setLevel(level)


@torch.no_grad()
def _compare(portable: Portable, exported: OnnxNetwork) -> float:
    """The largest difference on photos of two sizes, neither that of the export nor square."""
    photos = (_photo(portable, *more) for more in itertools.permutations((0, 3), 2))
    return max(float((portable.network(photo) - exported(photo)).abs().max()) for photo in photos)


def _photo(portable: Portable, *more: int) -> Float[Tensor, "1 3 h w"]:
    """Random numbers of a size that the network takes; `more` multiples than the least that tries all its parts."""
    least = (-(-max(portable.smallest, _STEPS * multiple) // multiple) for multiple in portable.multiples)
    size = [(steps + extra) * multiple for steps, extra, multiple in zip(least, more, portable.multiples, strict=True)]
    return torch.rand(1, 3, *size, generator=torch.Generator().manual_seed(0))
