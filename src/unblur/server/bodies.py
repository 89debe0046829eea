"""Limits on what requests bring: bytes and time of each, and bytes of all together."""

from __future__ import annotations

import asyncio
import time
from collections import deque

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from unblur.server.answers import error_answer
from unblur.server.settings import ServerSettings

__all__ = ["BodyLimits"]

_TURNS_AT_ONCE = 4
"""Parts of bodies that are worked on between two looks at what else there is to do; each takes milliseconds."""


class BodyLimits:
    """Refuses a body that is too large, too slow, or one too many, before more of it is held than is allowed.

    Args:
        app: What reads the bodies.
        settings: The limits.

    Attributes:
        held: Bytes of the bodies of all requests that are being answered.
        turns: Taken before each part of a body.
    """

    def __init__(self, app: ASGIApp, settings: ServerSettings) -> None:
        self._app, self.settings = app, settings
        self.held = 0
        self.turns = _Turns()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on a request whose body is counted."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = _Body(self, Headers(scope=scope), receive, send)
        if refusal := body.refusal_of_head():
            await refusal(scope, receive, send)
            return
        try:
            await body.take_turn()
            await self._app(scope, body.receive, body.send)
        finally:
            self.held -= body.held
        if body.refusal and not body.is_answered:
            await body.refusal(scope, receive, send)


class _Body:
    """The body of one request.

    What is over a limit ends it as if the client had left, whatever reads it; then `refusal` is what to answer, and
    what the reader answers is dropped. An answer that is given before the end of the body waits for that end, for a
    client that still sends would not see it; what comes is thrown away.
    """

    def __init__(self, limits: BodyLimits, headers: Headers, receive: Receive, send: Send) -> None:
        self._limits, self._headers = limits, headers
        self._receive, self._send = receive, send
        self._deadline = time.monotonic() + limits.settings.body_seconds
        self._has_body = headers.get("content-length", "0") != "0" or "transfer-encoding" in headers
        self._is_whole = self.is_answered = False
        self._received = 0
        self.held = 0
        self.refusal: Response | None = None

    def refusal_of_head(self) -> Response | None:
        """What to answer where the head of the request suffices."""
        if self._headers.get("content-encoding", "identity").lower() != "identity":
            return error_answer(415, "encoded", "send the body as it is, without a content-encoding")
        declared = self._headers.get("content-length", "0")
        return self._too_large() if declared.isdecimal() and int(declared) > self._limits.settings.body else None

    async def take_turn(self) -> None:
        """Wait until it may go on; a request without a body need not."""
        if self._has_body:
            await self._limits.turns.take()

    async def receive(self) -> Message:
        """The next part of the body, counted."""
        if self._is_whole:
            return await self._receive()
        await self.take_turn()
        if self.refusal:
            return {"type": "http.disconnect"}
        try:
            async with asyncio.timeout(self._deadline - time.monotonic()):
                message = await self._receive()
        except TimeoutError:
            self.refusal = error_answer(408, "slow", "the request did not arrive in time")
            return {"type": "http.disconnect"}
        self._count(message)
        return {"type": "http.disconnect"} if self.refusal else message

    async def send(self, message: Message) -> None:
        """Send a part of the answer, unless the body was refused."""
        if message["type"] == "http.response.start" and not self._is_whole and "expect" not in self._headers:
            await self._discard_rest()
        if self.is_answered or not self.refusal:
            self.is_answered = True
            await self._send(message)

    def _count(self, message: Message) -> None:
        part = len(message.get("body", b""))
        self._received += part
        self._hold(self.held + part)
        self._is_whole = message["type"] == "http.disconnect" or not message.get("more_body", False)
        if self._received > self._limits.settings.body:
            self.refusal = self._too_large()
        elif self._limits.held > self._limits.settings.uploads:
            self.refusal = error_answer(
                429, "busy", "too much is being sent at once; try again later", {"retry-after": "2"}
            )

    async def _discard_rest(self) -> None:
        while not self._is_whole and not self.refusal:
            await self.receive()
            self._hold(0)

    def _hold(self, size: int) -> None:
        self._limits.held += size - self.held
        self.held = size

    def _too_large(self) -> Response:
        reason = f"the request is larger than the allowed {self._limits.settings.body / 1e6:g} MB"
        return error_answer(413, "too_large", reason)


class _Turns:
    """Lets a few of those who wait go on in each round of the event loop.

    Otherwise hundreds of uploads that have something to do would all do it in one round, and a request that takes no
    time, such as one for the server's health, would wait for the second that this takes. Nobody keeps a turn, so a
    client that sends slowly holds up no other.
    """

    def __init__(self) -> None:
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def take(self) -> None:
        """Wait for a turn."""
        loop = asyncio.get_running_loop()
        turn: asyncio.Future[None] = loop.create_future()
        self._waiting.append(turn)
        if len(self._waiting) == 1:
            loop.call_soon(self._give, loop)
        await turn

    def _give(self, loop: asyncio.AbstractEventLoop) -> None:
        for _ in range(min(_TURNS_AT_ONCE, len(self._waiting))):
            turn = self._waiting.popleft()
            if not turn.done():  # its request may have been given up
                turn.set_result(None)
        if self._waiting:
            loop.call_soon(self._give, loop)
