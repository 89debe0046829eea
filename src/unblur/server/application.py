"""The HTTP API: `make_server(settings)` is a FastAPI application that others may mount pages on.

    server = make_server(ServerSettings())
    server.state.queue      # the `JobQueue` that all routes use, for pages that need no HTTP
    server.mount("/", page) # last, so that the routes of the API come first

Every request, also for what is mounted, goes through `Guard` (host, origin, token, inert headers) and `BodyLimits`. A
page that needs another Content-Security-Policy sets the header itself. The queue is closed with the application's
lifespan. `unblur.server.process.serve` runs an application with time limits on connections and a graceful end.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse

from unblur.errors import UnblurError
from unblur.server.answers import FileAnswer, answer_of_error, answer_of_failure, error_answer, image_answer
from unblur.server.bodies import BodyLimits
from unblur.server.forms import MOST_FIELDS, MOST_FILES, PART_BYTES, Wanted, form_schema, read_form
from unblur.server.guard import Guard
from unblur.server.job import Job, JobState
from unblur.server.observation import Metrics, Observer
from unblur.server.queue import JobQueue
from unblur.server.schemas import (
    JobBody,
    MethodBody,
    RestorationBody,
    describe_job,
    describe_methods,
    describe_restoration,
)
from unblur.server.settings import ServerSettings

__all__ = ["make_server"]

_FORM = {"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": form_schema()}}}}
_BETWEEN_EVENTS = 0.2
_HEARTBEAT = 15.0
_IMAGE = {
    200: {"content": {"image/*": {}}, "description": "The restored photo, in the format of the one that was sent."}
}
_ERRORS: dict[int | str, dict[str, Any]] = {
    413: {"description": "The request is too large."},
    422: {"description": "The photo or an option cannot be used."},
    429: {"description": "The queue is full; `Retry-After` says for how long."},
    503: {"description": "Too little memory, or the server is stopping."},
}

api = APIRouter()


def make_server(settings: ServerSettings | None = None, queue: JobQueue | None = None) -> FastAPI:
    """The API as an application.

    Args:
        settings: Limits, names and token; the address is for whoever runs it.
        queue: To share one with other parts of a program; it is closed with the application all the same.
    """
    settings = settings or ServerSettings()

    @asynccontextmanager
    async def lifespan(server: FastAPI) -> AsyncGenerator[None]:
        yield
        await asyncio.to_thread(server.state.queue.close)

    server = FastAPI(
        title="unblur",
        summary="One blurry photo in, a sharp one out, together with the blur that was found.",
        lifespan=lifespan,
        docs_url=None,  # pages that load scripts from elsewhere
        redoc_url=None,
        openapi_url="/openapi.json",
    )
    server.state.settings = settings
    server.state.queue = queue or JobQueue(settings)
    server.state.metrics = Metrics(server.state.queue)
    server.include_router(api)
    _add_error_answers(server)
    server.add_middleware(BodyLimits, settings=settings)
    server.add_middleware(Guard, settings=settings)
    server.add_middleware(Observer, metrics=server.state.metrics)
    return server


def _queue(request: Request) -> JobQueue:
    return request.app.state.queue


def _find_job(job_id: str, request: Request) -> Job:
    job = _queue(request).get(job_id)
    if job is None:
        raise HTTPException(404, "there is no such job, or its result has expired")
    return job


def _find_done(job: Annotated[Job, Depends(_find_job)]) -> Job:
    if job.state.status != "done":
        raise HTTPException(409 if not job.state.is_over else 410, f"the job is {job.state.status} and has no result")
    return job


AnyJob = Annotated[Job, Depends(_find_job)]
DoneJob = Annotated[Job, Depends(_find_done)]


@api.post("/v1/restore", openapi_extra=_FORM, responses={**_IMAGE, **_ERRORS}, response_model=RestorationBody)
async def restore(request: Request) -> Response:
    """Restore a photo and wait for it: the image, or JSON with the kernel and what was found (`Accept`)."""
    queue = _queue(request)
    job = await _submit(request, seconds=queue.settings.seconds)

    def forget() -> None:
        queue.delete(job.id)

    try:
        await _wait_for_end(job, request)
        if job.state.status != "done":
            answer = answer_of_failure(job.state)
        elif _wants_json(request):
            answer = JSONResponse((await asyncio.to_thread(describe_restoration, job)).model_dump())
        else:
            return image_answer(job.output, "restored", forget)
    except BaseException:
        forget()
        raise
    forget()
    return answer


@api.post("/v1/jobs", openapi_extra=_FORM, responses=_ERRORS, status_code=202)
async def create_job(request: Request, response: Response) -> JobBody:
    """Have a photo restored; the answer says where to look for it."""
    job = await _submit(request, seconds=None)
    response.headers["location"] = f"/v1/jobs/{job.id}"
    return _describe(request, job)


@api.get("/v1/jobs/{job_id}")
def read_job(request: Request, job: AnyJob) -> JobBody:
    """How a job is."""
    return _describe(request, job)


@api.delete("/v1/jobs/{job_id}", status_code=204)
def delete_job(request: Request, job: AnyJob) -> None:
    """Cancel a job, and forget it with its result."""
    _queue(request).delete(job.id)


@api.get("/v1/jobs/{job_id}/events", response_class=StreamingResponse)
async def follow_job(request: Request, job: AnyJob) -> StreamingResponse:
    """How a job is, now and at each change, as server-sent events `job`; the last one says what became of it."""
    return StreamingResponse(_events(request, job), media_type="text/event-stream")


@api.get("/v1/jobs/{job_id}/result", response_class=Response, responses={**_IMAGE})
def read_result(job: DoneJob) -> Response:
    """The restored photo."""
    return image_answer(job.output, "restored")


@api.get("/v1/jobs/{job_id}/kernel", response_class=Response)
def read_kernel(job: DoneJob, *, exact: bool = False) -> Response:
    """The kernel that was found, as 16-bit PNG, or with `exact` as a NumPy file."""
    if job.kernel is None:
        raise HTTPException(404, "no kernel was found")
    if exact:
        return FileAnswer(job.kernel.with_suffix(".npy"), "application/octet-stream", "kernel.npy")
    return image_answer(job.kernel, "kernel")


@api.get("/v1/jobs/{job_id}/motion", response_class=Response)
def read_motion(job: DoneJob, *, exact: bool = False) -> Response:
    """The motion that was found: arrows over the photo as PNG, or with `exact` a NumPy file."""
    if not job.motion:
        raise HTTPException(404, "no motion was found")
    if exact:
        return FileAnswer(job.motion[0], "application/octet-stream", "motion.npy")
    return image_answer(job.motion[-1], "motion")


@api.get("/v1/methods")
def read_methods() -> list[MethodBody]:
    """The methods, with the options and settings of each."""
    return describe_methods()


@api.get("/healthz")
async def read_health() -> dict[str, str]:
    """That the server answers."""
    return {"status": "ok"}


@api.get("/readyz")
async def read_readiness(request: Request) -> Response:
    """Whether the server takes photos."""
    is_ready = _queue(request).is_open
    return JSONResponse({"status": "ready" if is_ready else "stopping"}, 200 if is_ready else 503)


@api.get("/metrics", response_class=PlainTextResponse)
def read_metrics(request: Request) -> Response:
    """Counts of requests and jobs, for Prometheus."""
    return Response(request.app.state.metrics.text(), media_type=CONTENT_TYPE_LATEST)


async def _submit(request: Request, seconds: float | None) -> Job:
    """Put the photo of a request into the queue."""
    queue = _queue(request)
    queue.check_room()  # before megabytes are read
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        raise HTTPException(415, "send the photo as a form: multipart/form-data with a file named photo")
    async with request.form(max_files=MOST_FILES, max_fields=MOST_FIELDS, max_part_size=PART_BYTES) as form:
        wanted = read_form(form)
        files = {name: await file.read() for name, file in wanted.files.items()}
        return await asyncio.to_thread(_submit_wanted, queue, wanted, files, seconds)


def _submit_wanted(queue: JobQueue, wanted: Wanted, files: dict[str, bytes], seconds: float | None) -> Job:
    return queue.submit(
        wanted.photo.file,
        wanted.options,
        kernel=files.get("kernel"),
        mask=files.get("mask"),
        save=frozenset({"kernel", "motion"}),
        preview=wanted.preview,
        seconds=seconds,
    )


async def _wait_for_end(job: Job, request: Request) -> None:
    """Until a job is over; a client that leaves cancels it."""
    ended, gone = asyncio.create_task(_changes_until_end(job)), asyncio.create_task(_disconnection(request))
    try:
        await asyncio.wait({ended, gone}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        if not ended.done():
            job.cancel()
        ended.cancel()
        gone.cancel()
    if not job.state.is_over:
        raise ClientDisconnect


async def _changes_until_end(job: Job) -> None:
    async for _ in _changes(job):
        pass


async def _changes(job: Job, heartbeat: float | None = None) -> AsyncIterator[JobState]:
    """How a job is now, at each change (several that come at once are one), and after so many seconds without any."""
    loop, changed = asyncio.get_running_loop(), asyncio.Event()

    def note() -> None:
        with suppress(RuntimeError):  # the loop has been closed
            loop.call_soon_threadsafe(changed.set)

    end = job.watch(note)
    try:
        state = job.state
        yield state
        while not state.is_over:
            with suppress(TimeoutError):
                async with asyncio.timeout(heartbeat):
                    await changed.wait()
            changed.clear()
            state = job.state
            yield state
    finally:
        end()


async def _disconnection(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _events(request: Request, job: Job) -> AsyncGenerator[str]:
    last, shown = "", None
    async for state in _changes(job, _HEARTBEAT):
        body = _describe(request, job)
        # Each image is sent once.
        shown, body.progress.preview = body.progress.preview, _new_one(body.progress.preview, shown)
        event = f"event: job\ndata: {body.model_dump_json()}\n\n"
        yield event if event != last else ": still there\n\n"
        last = event
        if not state.is_over:
            await asyncio.sleep(_BETWEEN_EVENTS)


def _new_one(preview: str | None, before: str | None) -> str | None:
    return None if preview == before else preview


def _describe(request: Request, job: Job) -> JobBody:
    return describe_job(job, _queue(request).position(job))


def _wants_json(request: Request) -> bool:
    return "application/json" in request.headers.get("accept", "")


def _add_error_answers(server: FastAPI) -> None:
    @server.exception_handler(UnblurError)
    async def of_ours(_: Request, error: UnblurError) -> Response:
        return answer_of_error(error)

    @server.exception_handler(HTTPException)
    async def of_http(_: Request, error: HTTPException) -> Response:
        return error_answer(error.status_code, "request", error.detail, error.headers)

    @server.exception_handler(RequestValidationError)
    async def of_values(_: Request, error: RequestValidationError) -> Response:
        return error_answer(422, "request", error.errors()[0]["msg"])

    @server.exception_handler(ClientDisconnect)
    async def of_leaving(_: Request, error: ClientDisconnect) -> Response:
        del error
        return error_answer(400, "gone", "the client left")

    @server.exception_handler(Exception)
    async def of_bugs(_: Request, error: Exception) -> Response:
        del error
        return error_answer(500, "bug", "unblur itself failed; the server's log says more")
