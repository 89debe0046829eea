"""What a file of weights describes: names, shapes and places, no numbers.

It is read in a sandbox: a process whose time and memory are limited, whatever the file makes of it. What comes back is
checked again before it is used.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from mmap import ACCESS_READ, mmap
from typing import Any

from unblur.errors import CheckpointError, ReadError, TooLargeError
from unblur.system.sandbox import Sandbox
from unblur.system.scratch import lasting_scratch_file, write_all
from unblur.weights.foreign import name_foreign
from unblur.weights.legacy_file import LEGACY_BEGIN, find_legacy
from unblur.weights.pickles import StorageNote, TensorNote, note_tensor
from unblur.weights.safe_file import check_safe
from unblur.weights.unwrapping import unwrap
from unblur.weights.zip_file import ZIP_BEGIN, find_zip

__all__ = ["JOBS", "Description", "complaint", "describe"]

_SECONDS = 10
_MEMORY = 200 << 20


@dataclass(frozen=True)
class Description:
    """What is in a file.

    Attributes:
        names: Names of all tensors, in order.
        metadata: Metadata of a safetensors file.
        notes: The tensors of a file of `torch.save`, by name; empty: it is a safetensors file.
        places: Offset of the numbers of each storage in the file.
    """

    names: tuple[str, ...]
    metadata: Mapping[str, str] = field(default_factory=dict[str, str])
    notes: Mapping[str, TensorNote] = field(default_factory=dict[str, TensorNote])
    places: Mapping[str, int] = field(default_factory=dict[str, int])


def describe(file: int, size: int) -> Description:
    """What the open file describes.

    Args:
        file: Descriptor of the file.
        size: Size of the file in bytes; positive.

    Raises:
        CheckpointError: It is no file of plain weights, or asks for more than a description may cost.
    """
    try:
        _, result = _sandbox.run("describe", file, cpu_seconds=_SECONDS, memory=_MEMORY + size)
    except (ReadError, TooLargeError) as error:
        raise CheckpointError(str(error)) from None
    if result is None:
        raise CheckpointError("makes its reader contradict itself; the file is damaged or malicious")
    with os.fdopen(result, "rb") as text:
        return _unpack(json.load(text))


def complaint(error: Exception) -> str:
    """What an error that no reader expects means for a user."""
    return f"is damaged: its description cannot be read ({type(error).__name__})"


def _describe(source: int, _: dict[str, Any]) -> tuple[dict[str, Any], int]:
    with mmap(source, 0, access=ACCESS_READ) as data, lasting_scratch_file() as result:
        write_all(result, json.dumps(_pack(_read(data))).encode())
        os.lseek(result, 0, os.SEEK_SET)
    return {}, result


JOBS = {"describe": _describe}
_sandbox = Sandbox("unblur.weights.description")


def _read(data: mmap) -> Description:
    if data[:4] == ZIP_BEGIN or data[: len(LEGACY_BEGIN)] == LEGACY_BEGIN:
        layout = find_zip(data) if data[:4] == ZIP_BEGIN else find_legacy(data)
        notes = unwrap(layout.value, TensorNote)
        return Description(tuple(notes), {}, notes, layout.places)
    if data[8:9] == b"{":
        names, metadata = check_safe(data)
        return Description(tuple(names), metadata)
    raise CheckpointError(
        name_foreign(data[:512])
        or "is neither a .safetensors file nor one that torch.save wrote, or its begin is damaged"
    )


def _pack(description: Description) -> dict[str, Any]:
    """As plain values."""
    storages = {note.storage.key: note.storage for note in description.notes.values()}
    return {
        "names": description.names,
        "metadata": dict(description.metadata),
        "notes": [[note.storage.key, note.offset, note.shape, note.stride] for note in description.notes.values()],
        "storages": [[key, storage.dtype, storage.count] for key, storage in storages.items()],
        "places": {key: description.places[key] for key in storages},
    }


def _unpack(plain: dict[str, Any]) -> Description:
    storages = {key: StorageNote(key, dtype, count) for key, dtype, count in plain["storages"]}
    names = tuple(plain["names"])
    notes = [
        note_tensor(storages[key], offset, tuple(shape), tuple(stride)) for key, offset, shape, stride in plain["notes"]
    ]
    return Description(names, plain["metadata"], dict(zip(names, notes, strict=False)), plain["places"])
