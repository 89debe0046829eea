"""Runs the server in this process: connections that are slow to speak are closed, and SIGTERM ends it gracefully."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from collections.abc import Callable, Generator

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.h11_impl import H11Protocol

from unblur.errors import ServerError
from unblur.server.observation import log_to_stderr
from unblur.server.settings import ServerSettings

__all__ = ["listen", "serve"]

_MOST_CONNECTIONS = 512
_IDLE_SECONDS = 5
_HEAD_BYTES = 32 << 10
_GRACE = 3.0


def listen(settings: ServerSettings) -> socket.socket:
    """A socket at the server's address.

    Raises:
        ServerError: The address cannot be used.
    """
    try:
        kind, _, _, _, address = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=kind, backlog=_MOST_CONNECTIONS)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise ServerError(f"cannot listen on {settings.host}, port {settings.port}: {reason}") from error


def serve(server: FastAPI, place: socket.socket, on_start: Callable[[], None] = lambda: None) -> None:
    """Answer requests until SIGINT or SIGTERM; then running work has `stop_seconds` to end.

    Args:
        server: Of `make_server`.
        place: Of `listen`.
        on_start: Called once requests are answered.
    """
    log_to_stderr()
    settings: ServerSettings = server.state.settings
    config = uvicorn.Config(
        server,
        http=_limited_protocol(settings),
        ws="none",
        proxy_headers=False,
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        limit_concurrency=_MOST_CONNECTIONS,
        timeout_keep_alive=_IDLE_SECONDS,
        timeout_graceful_shutdown=int(settings.stop_seconds + _GRACE),
        h11_max_incomplete_event_size=_HEAD_BYTES,
    )
    try:
        _Server(config, server, on_start).run(sockets=[place])
    finally:
        server.state.queue.close(0)  # after a second signal nothing else does


class _Server(uvicorn.Server):
    """Ends by a signal as by itself: the exit code is 0, and the queue learns of it first."""

    def __init__(self, config: uvicorn.Config, server: FastAPI, on_start: Callable[[], None]) -> None:
        super().__init__(config)
        self._server, self._on_start = server, on_start

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._end)
        try:
            yield
        finally:
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_start()

    def _end(self) -> None:
        self.force_exit = self.should_exit  # a second signal does not wait
        self.should_exit = True
        # Not `close`: the answer to a job that has just ended is still to be sent, from its file.
        asyncio.get_running_loop().run_in_executor(None, self._server.state.queue.end_jobs)


def _limited_protocol(settings: ServerSettings) -> type[H11Protocol]:
    class LimitedProtocol(H11Protocol):
        """Closes a connection on which the head of a request does not arrive in time, or answers are not read."""

        _timer: asyncio.TimerHandle | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            _limit_unread(transport, settings.body_seconds)
            self._watch_head()

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            self._watch_head()

        def connection_lost(self, exc: Exception | None) -> None:
            self._stop_timer()
            super().connection_lost(exc)

        def _watch_head(self) -> None:
            if self.cycle and not self.cycle.response_complete:
                self._stop_timer()
            elif self._timer is None:
                self._timer = self.loop.call_later(settings.header_seconds, self.transport.abort)

        def _stop_timer(self) -> None:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None

    return LimitedProtocol


def _limit_unread(transport: asyncio.Transport, seconds: float) -> None:
    """Have the system close a connection whose client neither reads nor acknowledges what it is sent (Linux)."""
    connection = transport.get_extra_info("socket")
    with contextlib.suppress(OSError, AttributeError):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(1000 * seconds))
