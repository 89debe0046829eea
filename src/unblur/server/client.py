"""A client for the HTTP API, for programs that do not run the methods themselves."""

from __future__ import annotations

import base64
import json
import os
import time
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from unblur.errors import (
    BusyError,
    Cancelled,
    ImageError,
    ReadError,
    ServerError,
    TooLargeError,
    UnblurError,
    UsageError,
)
from unblur.server.settings import ServerSettings
from unblur.system.extras import import_extra

if TYPE_CHECKING:
    import httpx

__all__ = ["Client", "RemoteJob", "RemoteRestoration"]

_ERRORS: Mapping[str, type[UnblurError]] = {
    "options": UsageError,
    "photo": ImageError,
    "too_large": TooLargeError,
    "cancelled": Cancelled,
}
"""What the code in an answer stands for; all others are of the server."""

_ADDRESS = f"http://{ServerSettings.host}:{ServerSettings.port}"

PhotoInput = str | os.PathLike[str] | bytes


@dataclass(frozen=True)
class RemoteRestoration:
    """What a server found.

    Attributes:
        image: The bytes of the restored photo, in the format of the one that was sent.
        kernel: The kernel as a 16-bit PNG file, where one was found.
        kernel_values: The same as a NumPy file with exact values.
        method: What restored it.
        found: What the method says of the blur.
        predicted_gain: In dB of PSNR, where the method predicts it.
        warnings: Sentences for the user.
        facts: All else that the method reports.
        seconds: Time of the work.
    """

    image: bytes
    kernel: bytes | None = None
    kernel_values: bytes | None = None
    method: str = ""
    found: str | None = None
    predicted_gain: float | None = None
    warnings: tuple[str, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict[str, Any])
    seconds: float = 0.0


@dataclass(frozen=True)
class RemoteJob:
    """A job of a server, as it was when it was asked about.

    Attributes:
        id: Its name in `Client.job`, `Client.result` and `Client.cancel`; whoever knows it has the result.
        status: `waiting`, `running`, `done`, `failed` or `cancelled`.
        fraction: Share of the work that is done, 0 to 1.
        stage: What is being done.
        seconds_left: Estimated; None: not known yet.
        error: Why it failed.
    """

    id: str
    status: str
    fraction: float = 0.0
    stage: str = ""
    seconds_left: float | None = None
    error: str = ""


class Client:
    """Restores photos on a server that `unblur serve` runs.

        with unblur.Client("http://127.0.0.1:8765") as client:
            answer = client.restore("photo.jpg", method="map")

    Options are the fields of the form of `POST /v1/restore`: those of `RestoreOptions`, `method`, `weights`, `frames`,
    `allow_damaged`, `strip_metadata`; `settings` are the method's own; `kernel` and `mask` are files or
    the bytes of one.

    Args:
        address: Of the server, without a path.
        token: Where the server needs one.
        timeout: Seconds without a sign of the server after which it is given up.
        attempts: How often a photo is sent to a server that is busy; the server says how long to wait between.

    Raises:
        MissingExtraError: `httpx` is not installed.
    """

    def __init__(self, address: str = _ADDRESS, *, token: str = "", timeout: float = 180.0, attempts: int = 5) -> None:
        self._httpx = import_extra("httpx", "unblur.Client")
        headers = {"authorization": f"Bearer {token}"} if token else {}
        self._http: httpx.Client = self._httpx.Client(base_url=address, headers=headers, timeout=timeout)
        self._attempts = attempts

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def restore(
        self, photo: PhotoInput, *, settings: Mapping[str, Any] | None = None, **options: Any
    ) -> RemoteRestoration:
        """Restore a photo and wait for it.

        Args:
            photo: A file, or the bytes of one.
            settings: The method's own settings by name.
            options: Fields of the form.

        Raises:
            UsageError: An option that cannot be.
            ImageError: A photo that cannot be read or restored.
            BusyError: The server had too much to do, several times.
            ServerError: The server cannot be reached, refuses, or fails.
        """
        return _restoration(self._send("/v1/restore", photo, settings, options))

    def submit(self, photo: PhotoInput, *, settings: Mapping[str, Any] | None = None, **options: Any) -> RemoteJob:
        """Have a photo restored; arguments and errors are those of `restore`."""
        return _job(self._send("/v1/jobs", photo, settings, options))

    def job(self, job_id: str) -> RemoteJob:
        """How a job is."""
        return _job(self._call("GET", f"/v1/jobs/{quote(job_id)}").json())

    def follow(self, job_id: str) -> Iterator[RemoteJob]:
        """How a job is, now and at each change until its end."""
        with _explaining(self._httpx.HTTPError), self._http.stream("GET", f"/v1/jobs/{quote(job_id)}/events") as answer:
            if answer.is_error:
                answer.read()
                raise _error(answer)
            for line in answer.iter_lines():
                if line.startswith("data: "):
                    yield _job(json.loads(line.removeprefix("data: ")))

    def result(self, job_id: str) -> bytes:
        """The bytes of the restored photo of a job that is done."""
        return self._call("GET", f"/v1/jobs/{quote(job_id)}/result").content

    def kernel(self, job_id: str, *, exact: bool = False) -> bytes:
        """The kernel that a job found: a 16-bit PNG file, or a NumPy file with exact values."""
        return self._call("GET", f"/v1/jobs/{quote(job_id)}/kernel", params={"exact": exact}).content

    def cancel(self, job_id: str) -> None:
        """Cancel a job, and have the server forget it with its result."""
        self._call("DELETE", f"/v1/jobs/{quote(job_id)}")

    def methods(self) -> list[dict[str, Any]]:
        """The methods of the server, each with its options and the JSON Schema of its settings."""
        return self._call("GET", "/v1/methods").json()

    def _send(
        self, path: str, photo: PhotoInput, settings: Mapping[str, Any] | None, options: dict[str, Any]
    ) -> dict[str, Any]:
        given = {name: options.pop(name, None) for name in ("kernel", "mask")}
        files = {name: _bytes_of(file) for name, file in {"photo": photo, **given}.items() if file is not None}
        fields = {name: _text(value) for name, value in options.items() if value is not None}
        pairs = [f"{name}={value}" for name, value in (settings or {}).items()]
        for attempt in range(self._attempts):
            try:
                return self._call(
                    "POST",
                    path,
                    files={name: (name, data) for name, data in files.items()},
                    data={**fields, "set": pairs},
                    headers={"accept": "application/json"},
                ).json()
            except BusyError as error:
                if attempt == self._attempts - 1:
                    raise
                time.sleep(error.retry_after)
        raise ServerError("was never asked: attempts is at least 1")

    def _call(self, verb: str, path: str, **more: Any) -> httpx.Response:
        with _explaining(self._httpx.HTTPError):
            answer = self._http.request(verb, path, **more)
        if answer.is_error:
            raise _error(answer)
        return answer


@contextmanager
def _explaining(kind: type[Exception]) -> Generator[None]:
    """Within, errors of the connection become errors of ours."""
    try:
        yield
    except kind as error:
        raise ServerError(f"the server cannot be reached, or broke off: {error}") from error


def _error(answer: httpx.Response) -> UnblurError:
    """The error that an answer stands for."""
    try:
        code, message = str(answer.json()["error"]["code"]), str(answer.json()["error"]["message"])
    except (ValueError, LookupError, TypeError):
        return ServerError(f"the server answers with status {answer.status_code}")
    if answer.status_code == HTTPStatus.TOO_MANY_REQUESTS:
        return BusyError(message, float(answer.headers.get("retry-after", "1")))
    return _ERRORS.get(code, ServerError)(message)


def _restoration(body: dict[str, Any]) -> RemoteRestoration:
    files = {
        name: body[name] and base64.b64decode(body[name]["base64"]) for name in ("image", "kernel", "kernel_values")
    }
    words = {name: body[name] for name in ("method", "found", "predicted_gain", "facts", "seconds")}
    return RemoteRestoration(**files, **words, warnings=tuple(body["warnings"]))


def _job(body: dict[str, Any]) -> RemoteJob:
    progress, error = body["progress"], body["error"] or {}
    return RemoteJob(
        body["id"],
        body["status"],
        progress["fraction"],
        progress["stage"],
        progress["seconds_left"],
        error.get("message", ""),
    )


def _bytes_of(file: PhotoInput) -> bytes:
    try:
        return file if isinstance(file, bytes) else Path(file).read_bytes()
    except OSError as error:
        raise ReadError(f"cannot be read: {(error.strerror or 'unknown reason').lower()}") from error


def _text(value: Any) -> str:
    """A value as the form takes it: a region as X,Y,W,H."""
    return ",".join(map(str, value)) if isinstance(value, tuple | list) else str(value)
