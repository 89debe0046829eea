"""An S3 server on this machine that does, request by request, what stores do wrong."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.request import Request, urlopen

__all__ = ["StoreServer", "serve_store"]

_KEYS = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}


@dataclass
class StoreServer:
    """The server.

    Attributes:
        address: Address with the port.
        faults: Faults for the next requests on objects, in order: a status to answer with, `"stall"`, `"cut"` (half of
            the body comes), or `"lost"` (the request is carried out, and its answer is an error); None: none.
        always: The fault when `faults` are used up.
        matching: What the method and path of a request have to match for a fault.
        requests: Method and path of those that came.
        environment: Variables by which a client finds it.
    """

    address: str = ""
    faults: list[int | str | None] = field(default_factory=list)
    always: int | str | None = None
    matching: str = r"\w+ /bucket/."
    requests: list[str] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        return {
            "AWS_ENDPOINT_URL": self.address,
            "AWS_DEFAULT_REGION": "us-east-1",
            **{name.upper(): value for name, value in _KEYS.items()},
        }


@contextmanager
def serve_store(stall: float = 3.0) -> Generator[StoreServer]:
    """A server with a bucket named `bucket`, until the end of the block.

    Args:
        stall: Seconds for which a request that stalls gets no answer.
    """
    import boto3
    from moto.server import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import make_server

    state = StoreServer()
    backend = DomainDispatcherApplication(create_backend_app)

    def answer(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        request = f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}"
        state.requests.append(request)
        is_meant = re.match(state.matching, request)
        fault = (state.faults.pop(0) if state.faults else state.always) if is_meant else None
        if isinstance(fault, int):
            return _fail(environ, start, fault)
        if fault == "stall":
            time.sleep(stall)
            return _fail(environ, start, 503)
        body = backend(environ, start if fault != "lost" else lambda *_: None)
        if fault == "lost":
            b"".join(body)
            return _fail(environ, start, 500)
        if fault == "cut":
            whole = b"".join(body)
            return [whole[: len(whole) // 2]]
        return body

    server = make_server("127.0.0.1", 0, answer, threaded=True)
    server.log = lambda *_: None  # type: ignore[method-assign]
    state.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    client = boto3.client("s3", endpoint_url=state.address, region_name="us-east-1", **_KEYS)
    client.create_bucket(Bucket="bucket")
    try:
        yield state
    finally:
        urlopen(
            Request(f"{state.address}/moto-api/reset", method="POST")
        ).close()  # the next server begins with nothing
        server.shutdown()
        thread.join()
        server.server_close()


def _fail(environ: dict[str, Any], start: Any, status: int) -> list[bytes]:
    environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    start(f"{status} Failure", [("Content-Type", "application/xml")])
    code = "AccessDenied" if status == 403 else "InternalError"
    return [f"<Error><Code>{code}</Code><Message>broken for a test</Message></Error>".encode()]
