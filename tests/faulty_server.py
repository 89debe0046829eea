"""A web server on this machine that serves files and does, request by request, what servers do wrong."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

__all__ = ["Fault", "FaultyServer", "Request", "serve"]


@dataclass(frozen=True)
class Fault:
    """What happens to one answer.

    Attributes:
        status: Instead of 200 or 206.
        cut_at: Bytes of the body after which the connection ends.
        stall_at: Bytes of the body after which nothing comes for a long time.
        drip: Bytes come one by one.
        stated: Instead of the true length of the body.
        data: Instead of the file.
        ignore_range: All of the file is sent, whatever was asked for.
        without_length: The end of the body is the end of the connection.
    """

    status: int = 0
    cut_at: int | None = None
    stall_at: int | None = None
    drip: bool = False
    stated: int | None = None
    data: bytes | None = None
    ignore_range: bool = False
    without_length: bool = False


@dataclass(frozen=True)
class Request:
    """What was asked for."""

    path: str
    range: str | None


@dataclass
class FaultyServer:
    """The server's files and what it is to do wrong.

    Attributes:
        address: Address with the port.
        files: Contents by path, such as `/a/b.bin`.
        faults: Faults for the next requests, in order; after them all goes well.
        always: Fault for every request when `faults` are used up.
        requests: That came.
    """

    address: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    always: Fault = Fault()
    requests: list[Request] = field(default_factory=list)


@contextmanager
def serve() -> Generator[FaultyServer]:
    """A server that runs until the end of the block."""
    state, stopped = FaultyServer(), threading.Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            state.requests.append(Request(self.path, self.headers.get("Range")))
            fault = state.faults.pop(0) if state.faults else state.always
            _answer(self, state.files.get(self.path), fault, stopped)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.block_on_close = False
    state.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        stopped.set()
        server.shutdown()
        thread.join()
        server.server_close()


def _answer(handler: BaseHTTPRequestHandler, data: bytes | None, fault: Fault, stopped: threading.Event) -> None:
    handler.close_connection = True
    data = fault.data if fault.data is not None else data
    if fault.status or data is None:
        handler.send_error(fault.status or 404)
        return
    asked = handler.headers.get("Range")
    begin = int(asked.removeprefix("bytes=").rstrip("-")) if asked and not fault.ignore_range else 0
    if begin and begin >= len(data):
        handler.send_error(416)
        return
    body = data[begin:]
    handler.send_response(206 if begin else 200)
    if begin:
        handler.send_header("Content-Range", f"bytes {begin}-{len(data) - 1}/{len(data)}")
    if not fault.without_length:
        handler.send_header("Content-Length", str(len(body) if fault.stated is None else fault.stated))
    handler.end_headers()
    _send_body(handler, body, fault, stopped)


def _send_body(handler: BaseHTTPRequestHandler, body: bytes, fault: Fault, stopped: threading.Event) -> None:
    try:
        if fault.drip:
            for place in range(len(body)):
                handler.wfile.write(body[place : place + 1])
                if stopped.wait(0.02):
                    return
            return
        stop = fault.cut_at if fault.cut_at is not None else fault.stall_at
        handler.wfile.write(body[:stop])
        handler.wfile.flush()
        if fault.stall_at is not None:
            stopped.wait(20)
    except OSError:  # the client has had enough
        time.sleep(0)
