"""Messages between this process and a sandbox: a line of JSON, with an open file where more than words travels.

Nothing from the worker is ever unpickled or run: it is the process that a hostile file may have taken over.
"""

from __future__ import annotations

import json
import os
import socket
from typing import Any

__all__ = ["receive", "send"]

_LARGEST_MESSAGE = 1 << 16


def send(link: socket.socket, message: dict[str, Any], *files: int) -> None:
    """Send one message; the files are open descriptors and stay open here."""
    line = json.dumps(message).encode() + b"\n"
    sent = socket.send_fds(link, [line], files)
    link.sendall(line[sent:])


def receive(link: socket.socket, most: int = 1) -> tuple[dict[str, Any], list[int]]:
    """The next message and the descriptors that came with it, at most so many, which now belong to the caller.

    Raises:
        EOFError: The other side is gone.
    """
    line, files = b"", list[int]()
    while not line.endswith(b"\n"):
        part, came, _, _ = socket.recv_fds(link, _LARGEST_MESSAGE, most)
        files += came
        if not part or len(line) > _LARGEST_MESSAGE:
            for file in files:
                os.close(file)
            raise EOFError
        line += part
    return json.loads(line), files
