"""Weights of other programs as one safetensors file."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from unblur.errors import CheckpointError
from unblur.weights.architecture import Architecture, guess_architecture, shapes_of
from unblur.weights.checkpoint import Checkpoint, join_parts
from unblur.weights.safe_file import write_checkpoint

__all__ = ["FORMAT_VERSION", "convert"]

FORMAT_VERSION = "1"
"""Version of the metadata of our files."""


def convert(
    checkpoints: Sequence[Checkpoint],
    output: str | os.PathLike[str],
    architectures: Iterable[Architecture],
    *,
    overwrite: bool = False,
) -> str:
    """Write weights that were read as a safetensors file.

    Args:
        checkpoints: One; or the parts of a network, whose tensors get the name of their file in front, without its
            ending: `encoder_lv1.layer1.weight`.
        output: Ends in `.safetensors`.
        architectures: Architectures that can be recognised.
        overwrite: Replace a file of that name.

    Returns:
        The architecture that was recognised; empty if none was.

    Raises:
        CheckpointError: A wrong ending, or two parts of one name.
        WriteError: The name is taken.
        OutputError: The folder cannot be written to.
    """
    if Path(output).suffix != ".safetensors":
        raise CheckpointError(f"the name of the converted file ends in .safetensors, not {Path(output).suffix!r}")
    tensors = join_parts(checkpoints)
    found = guess_architecture(shapes_of(tensors), architectures)
    metadata = {
        **(checkpoints[0].metadata if len(checkpoints) == 1 else {}),
        "format_version": FORMAT_VERSION,
        **({"arch": found.name} if found else {}),
        "converted_from": ", ".join(f"{part.name} (sha256 {part.sha256})" for part in checkpoints),
    }
    write_checkpoint(output, tensors, metadata, overwrite=overwrite)
    return found.name if found else ""
