"""A server in a process of its own, which real sockets reach."""

import io
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import httpx

from conftest import photo_of


def photo_bytes(size: tuple[int, int] = (48, 32), seed: int = 0, form: str = "PNG") -> bytes:
    file = io.BytesIO()
    photo_of(size, seed).save(file, form)
    return file.getvalue()


@dataclass
class RunningServer:
    """`unblur serve` on a free port.

    Attributes:
        folder: Where it keeps its temporary files.
        log: What it writes on standard error.
    """

    process: "subprocess.Popen[str]"
    host: str
    port: int
    token: str
    folder: Path
    log: Path

    @property
    def address(self) -> str:
        return f"http://{self.host}:{self.port}"

    def stop(self, number: int = signal.SIGTERM, timeout: float = 40) -> int:
        """Its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(timeout)
        if self.process.stdout:
            self.process.stdout.close()
        return code


def start_server(place: Path, *words: str) -> RunningServer:
    """Once it answers."""
    folder = place / "temporary"
    folder.mkdir(parents=True)
    with (place / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "unblur", "serve", "--port", "0", *words],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env={**os.environ, "TMPDIR": str(folder)},
        )
    assert process.stdout is not None
    first = process.stdout.readline()
    assert first, (place / "log").read_text()
    address = httpx.URL(first.split()[-1])
    token = process.stdout.readline().split()[-1] if {"--host", "--token"} & set(words) else ""
    return RunningServer(process, address.host, address.port or 80, token, folder, place / "log")
