"""A server in a process of its own, which real sockets reach."""

import io
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import suppress
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


def talk(server: RunningServer, *parts: bytes, seconds: float = 30, pause: float = 0) -> bytes:
    """What comes back on a connection of its own, until the server closes it or the time is over."""
    answer = b""
    with socket.create_connection((server.host, server.port), timeout=seconds) as connection:
        with suppress(OSError):  # the server may have answered and closed before the end: what it said is read
            for part in parts:
                connection.sendall(part)
                time.sleep(pause)
        with suppress(OSError):
            while piece := connection.recv(1 << 16):
                answer += piece
    return answer


def status_of(answer: bytes) -> int:
    """0: there was none."""
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/1.1 ") else 0


def head_of(path: str = "/healthz", method: str = "GET", **headers: str) -> bytes:
    """The head of a request after which the connection is closed; an empty value leaves a header out."""
    given = {
        "Host": "127.0.0.1",
        "Connection": "close",
        **{name.replace("_", "-"): text for name, text in headers.items()},
    }
    lines = [f"{name}: {text}" for name, text in given.items() if text]
    return f"{method} {path} HTTP/1.1\r\n".encode() + "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"


def form_of(*parts: tuple[str, bytes], boundary: str = "cut") -> bytes:
    """A multipart body; each part has the parameters of its disposition, such as `name="photo"; filename="a"`."""
    written = [
        f"--{boundary}\r\nContent-Disposition: form-data; {words}\r\n\r\n".encode() + data + b"\r\n"
        for words, data in parts
    ]
    return b"".join(written) + f"--{boundary}--\r\n".encode()


def memory_mb(pid: int) -> float:
    """Resident memory of a process."""
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")) / 1024


def processor_seconds(pid: int) -> float:
    """What a process has used of the processor."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def ask_for_health(port: int, pid: int) -> None:
    """Ask for ever, and print the seconds until each answer: by the clock, and of the server's process."""
    while True:
        began, used = time.monotonic(), processor_seconds(pid)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=60) as answer:
            answer.read()
        sys.stdout.write(f"{time.monotonic() - began} {processor_seconds(pid) - used}\n")
        sys.stdout.flush()
        time.sleep(0.2)


def descriptors(pid: int) -> int:
    """Open files and connections of a process."""
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def files_below(folder: Path) -> list[str]:
    """Files in the folder of a server besides the lock that says that it runs."""
    return [path.name for path in folder.rglob("*") if path.is_file() and path.name != "lock"]
