"""What the API answers in JSON, and the options and settings of methods as JSON Schema."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, Field, TypeAdapter

from unblur.images.signatures import HEAD_BYTES, format_of_bytes
from unblur.methods.catalog import DEFAULT_METHOD, list_entries, settings_class_of
from unblur.methods.settings import Setting, describe_settings
from unblur.server.answers import failure_of
from unblur.server.job import Job

__all__ = [
    "ErrorBody",
    "FileContent",
    "JobBody",
    "MethodBody",
    "ProgressBody",
    "RestorationBody",
    "describe_job",
    "describe_methods",
    "describe_restoration",
]


class ErrorBody(BaseModel):
    """Why something was not done."""

    code: str = Field(examples=["photo"])
    message: str = Field(examples=["is damaged: the file ends too early"])


class FileContent(BaseModel):
    """A file within JSON."""

    media_type: str = Field(examples=["image/jpeg"])
    base64: str


class Outcome(BaseModel):
    """What a restoration found."""

    method: str = Field(examples=["auto"])
    settings: dict[str, Any] = Field(description="The method's settings, given and default.")
    found: str | None = Field(description="What the method says of the blur.", examples=["camera shake of 17 pixels"])
    predicted_gain: float | None = Field(description="In dB of PSNR, where the method predicts it.")
    kernel_size: tuple[int, int] | None = Field(description="Width and height in pixels.")
    warnings: list[str]
    facts: dict[str, Any] = Field(description="All else that the method reports.")
    seconds: float
    device: str


class RestorationBody(Outcome):
    """The answer of `POST /v1/restore` to clients that accept JSON."""

    image: FileContent
    kernel: FileContent | None = Field(description="The kernel that was found, as 16-bit PNG.")
    kernel_values: FileContent | None = Field(description="The same as exact values, a NumPy file.")


class ProgressBody(BaseModel):
    """How far a job is."""

    fraction: float = Field(ge=0, le=1)
    stage: str
    seconds_left: float | None = Field(description="Estimated from the speed so far.")
    waiting_before: int = Field(description="Photos that come first.")
    preview: str | None = Field(default=None, description="The image so far: JPEG in base64, where it was asked for.")


class JobBody(BaseModel):
    """A job."""

    id: str
    status: Literal["waiting", "running", "done", "failed", "cancelled"]
    progress: ProgressBody
    outcome: Outcome | None = None
    error: ErrorBody | None = None
    links: dict[str, str] = Field(description="What can be fetched: self, events; result, kernel and motion when done.")


class MethodBody(BaseModel):
    """A method."""

    name: str
    summary: str
    finds: str
    state: str
    is_default: bool
    options: list[str] = Field(description="Fields of the form that it heeds.")
    settings: dict[str, Any] = Field(description="JSON Schema of what the field `set` may give.")


def describe_job(job: Job, waiting_before: int) -> JobBody:
    """A job as it is now."""
    state = job.state
    preview = state.progress.preview
    progress = ProgressBody(
        fraction=state.progress.fraction,
        stage=state.progress.stage,
        seconds_left=None if job.seconds_left is None else round(job.seconds_left, 1),
        waiting_before=waiting_before,
        preview=base64.b64encode(preview).decode() if preview else None,
    )
    body = JobBody(id=job.id, status=state.status, progress=progress, links=_links(job))
    if state.status == "done":
        body.outcome = Outcome(**_outcome(job))
    elif state.is_over:
        _, code, message = failure_of(state)
        body.error = ErrorBody(code=code, message=message)
    return body


def describe_restoration(job: Job) -> RestorationBody:
    """The result of a job that is done, with its files; reads them."""
    kernel = job.kernel
    return RestorationBody(
        **_outcome(job),
        image=_image(job.output),
        kernel=kernel and _image(kernel),
        kernel_values=kernel and _content(kernel.with_suffix(".npy"), "application/octet-stream"),
    )


def describe_methods() -> list[MethodBody]:
    """Every method with its options and settings."""
    return [
        MethodBody(
            name=name,
            summary=entry.summary,
            finds=entry.finds,
            state=entry.state,
            is_default=name == DEFAULT_METHOD,
            options=sorted(entry.uses),
            settings={
                "type": "object",
                "additionalProperties": False,
                "properties": {
                    item.name: _schema(item)
                    for item in describe_settings(settings_class_of(name))
                    if not item.names_file
                },
            },
        )
        for name, entry in list_entries().items()
    ]


def _schema(item: Setting) -> dict[str, Any]:
    kind = {"enum": list(item.choices)} if item.choices else TypeAdapter(item.type).json_schema()
    return {**kind, "default": item.default, "description": item.help}


def _outcome(job: Job) -> dict[str, Any]:
    result = job.state.result
    if result is None:
        return {}
    facts = dict(result.facts)
    return {
        "method": result.method,
        "settings": result.settings,
        "found": facts.pop("found", None),
        "predicted_gain": facts.pop("predicted_gain", None),
        "kernel_size": result.kernel_size,
        "warnings": list(result.warnings),
        "facts": facts,
        "seconds": round(result.seconds, 3),
        "device": result.device,
    }


def _links(job: Job) -> dict[str, str]:
    place = f"/v1/jobs/{job.id}"
    links = {"self": place, "events": f"{place}/events"}
    if job.state.status == "done":
        files = {"result": True, "kernel": job.kernel is not None, "motion": bool(job.motion)}
        links |= {name: f"{place}/{name}" for name, is_there in files.items() if is_there}
    return links


def _image(path: Path) -> FileContent:
    with path.open("rb") as file:
        kind = format_of_bytes(file.read(HEAD_BYTES))
    return _content(path, f"image/{kind}")


def _content(path: Path, media_type: str) -> FileContent:
    return FileContent(media_type=media_type, base64=base64.b64encode(path.read_bytes()).decode())
