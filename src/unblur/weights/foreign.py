"""Files that people take for checkpoints, recognised by their first bytes."""

from __future__ import annotations

import re

__all__ = ["name_foreign"]

_KINDS = {
    rb"version https://git-lfs\.github\.com/": (
        "is a Git LFS pointer, not the weights themselves; fetch them with git lfs pull"
    ),
    rb"(?i)\s*<(!doctype html|html|head)": "is a web page, not weights; the download went wrong",
    rb"\s*<\?xml": "is an XML document, not weights; the download may have gone wrong",
    rb"\s*[{\[]": "is a JSON text, not weights; the download may have gone wrong",
    rb"\x89PNG|\xff\xd8\xff|GIF8|RIFF....WEBP|II\*\0|MM\0\*": "is a picture, not weights",
    rb"\x93NUMPY": "is a NumPy array, not weights",
    rb"\x89HDF": "is an HDF5 file; weights are read from .safetensors, or as torch.save wrote them",
    rb"\x1f\x8b|BZh|\xfd7zXZ|\x28\xb5\x2f\xfd": "is compressed; unpack it first",
    rb".{257}ustar": "is a tar archive; unpack it first",
    rb"PK\x05\x06": "is an empty zip archive",
    rb"\x80[\x00-\x05]": "is a pickle that torch.save did not write; it could run code and is not read",
    rb"(---|%YAML|[\w-]+:\s)": "is a text, not weights",
}


def name_foreign(data: bytes) -> str:
    """What a file is that cannot be weights, as the rest of a sentence; empty if it is not recognised.

    Args:
        data: The beginning of it, 300 bytes or more where there are so many.
    """
    return next((words for sign, words in _KINDS.items() if re.match(sign, data, re.DOTALL)), "")
