"""Bodies of requests, without a socket: whoever sends none does not wait for those who send a lot."""

import asyncio

from unblur.server.bodies import BodyLimits
from unblur.server.settings import ServerSettings

PARTS, UPLOADS = 50, 100


def test_requests_without_a_body_do_not_wait_for_all_uploads():
    """All parts of all uploads are there at once; without turns, every one would be read before anything else is."""
    counts, answered = {"parts": 0}, []

    async def read_all(scope, receive, send):
        while (await receive()).get("more_body"):
            pass
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def request(limits: BodyLimits, length: int) -> None:
        left = PARTS if length else 1

        async def receive():
            nonlocal left
            left -= 1
            counts["parts"] += bool(length)
            return {"type": "http.request", "body": b"x" * bool(length), "more_body": left > 0}

        async def send(_):
            answered.append((length, counts["parts"]))

        headers = [(b"content-length", str(length).encode())] if length else []
        await limits({"type": "http", "headers": headers}, receive, send)

    async def meet() -> None:
        limits = BodyLimits(read_all, ServerSettings())
        await asyncio.gather(*(request(limits, PARTS) for _ in range(UPLOADS)), request(limits, 0))

    asyncio.run(meet())
    assert len(answered) == UPLOADS + 1
    assert counts["parts"] == UPLOADS * PARTS
    assert answered[0][0] == 0
    assert answered[0][1] < UPLOADS
