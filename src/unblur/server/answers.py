"""Answers of the API: errors as one line of JSON, and files that go with their job."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from starlette.responses import FileResponse, JSONResponse
from starlette.types import Receive, Scope, Send

from unblur.errors import BusyError, ServerError, UnblurError, UsageError
from unblur.images.signatures import HEAD_BYTES, format_of_bytes
from unblur.server.job import JobState

__all__ = ["FileAnswer", "answer_of_error", "answer_of_failure", "error_answer", "failure_of", "image_answer"]

_OF_REASON = {
    "time": (504, "time", "took longer than is allowed; make it a job, or ask for less effort"),
    "crash": (503, "memory", "the process that worked on it died, perhaps for lack of memory; try a smaller photo"),
    "stop": (503, "stopping", "the server is stopping"),
}
_OF_FAULT = {
    "photo": (422, "photo"),
    "usage": (422, "options"),
    "format": (422, "options"),
    "memory": (503, "memory"),
}


def error_answer(status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """`{"error": {"code": ..., "message": ...}}`."""
    return JSONResponse({"error": {"code": code, "message": message}}, status, headers)


def answer_of_error(error: UnblurError) -> JSONResponse:
    """The answer to a request that raised an error of ours."""
    if isinstance(error, BusyError):
        wait = {"retry-after": f"{max(1, round(error.retry_after))}"}
        return error_answer(429, "busy", str(error), wait)
    if isinstance(error, UsageError):
        return error_answer(422, "options", str(error))
    if isinstance(error, ServerError):
        return error_answer(503, "stopping", str(error))
    return error_answer(503, "failed", "the server cannot do that now")


def answer_of_failure(state: JobState) -> JSONResponse:
    """The answer for a job that has no result."""
    return error_answer(*failure_of(state))


def failure_of(state: JobState) -> tuple[int, str, str]:
    """HTTP status, code and sentence for a job that failed or was cancelled.

    Only sentences that name no file get out: those on the photo and the options.
    """
    if state.status == "cancelled":
        return 409, "cancelled", "it was cancelled"
    if state.reason:
        return _OF_REASON[state.reason]
    result = state.result
    if result is not None and result.fault in _OF_FAULT:
        return *_OF_FAULT[result.fault], result.error
    if result is not None and result.fault in ("place", "name"):
        return 503, "storage", "the server has no room for the result"
    return 500, "bug", "unblur itself failed; the server's log says more"


def image_answer(path: Path, name: str, after: Callable[[], object] = lambda: None) -> FileAnswer:
    """A file with an image in it, by its content; see `FileAnswer`."""
    with path.open("rb") as file:
        kind = format_of_bytes(file.read(HEAD_BYTES))
    return FileAnswer(path, f"image/{kind}", f"{name}.{kind}", after)


class FileAnswer(FileResponse):
    """The content of a file, as a download.

    Args:
        path: The file.
        media_type: Its type.
        name: What a browser saves it as.
        after: Called when it was sent, or could not be.
    """

    def __init__(self, path: Path, media_type: str, name: str, after: Callable[[], object] = lambda: None) -> None:
        super().__init__(path, media_type=media_type, filename=name)
        self._after = after

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._after()
