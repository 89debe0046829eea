"""What an operator sees: a line of JSON for each request and job, and metrics for Prometheus.

Neither holds a photo, a name or address of a client, or the id of a job, which is the key to its result.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from unblur.server.job import Job
from unblur.server.queue import JobQueue

__all__ = ["Metrics", "Observer", "log_to_stderr"]

_LOG = logging.getLogger("unblur.server")
_METHODS = frozenset({"GET", "HEAD", "POST", "DELETE", "OPTIONS"})
_JOB_SECONDS = (0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000, 3000)


class Metrics:
    """Counts of requests and jobs, in a registry of their own.

    Args:
        queue: Its load is shown, and its jobs are counted from now on.
    """

    def __init__(self, queue: JobQueue) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "unblur_requests",
            "Requests by what became of them.",
            ["method", "route", "status"],
            registry=self._registry,
        )
        self._request_seconds = Histogram(
            "unblur_request_seconds",
            "Time from the head of a request to the end of its answer.",
            ["route"],
            registry=self._registry,
        )
        self._jobs = Counter("unblur_jobs", "Jobs by what became of them.", ["status"], registry=self._registry)
        self._job_seconds = Histogram(
            "unblur_job_seconds",
            "Time of the work on a photo.",
            ["method"],
            buckets=_JOB_SECONDS,
            registry=self._registry,
        )
        for name in ("waiting", "running", "kept"):
            gauge = Gauge(f"unblur_jobs_{name}", f"Jobs that are {name}.", registry=self._registry)
            gauge.set_function(lambda name=name: getattr(queue.load, name))
        queue.observers.append(self._count_job)

    def count_request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Note a request that was answered."""
        self._requests.labels(method, route, status).inc()
        self._request_seconds.labels(route).observe(seconds)

    def text(self) -> bytes:
        """All of it, in the text format of Prometheus."""
        return generate_latest(self._registry)

    def _count_job(self, job: Job) -> None:
        seconds, method, state = job.ended - job.started, job.task.options.method, job.state
        self._jobs.labels(state.status).inc()
        self._job_seconds.labels(method).observe(seconds)
        facts: dict[str, Any] = {"method": method, "status": state.status, "seconds": round(seconds, 3)}
        if state.reason:
            facts["reason"] = state.reason
        if state.result and state.result.fault:
            facts["fault"] = state.result.fault
        if state.result and state.result.fault == "bug":
            facts["trace"] = state.result.trace
        _write("job", facts)


class Observer:
    """Counts and logs every request.

    Args:
        app: What answers.
        metrics: Where they are counted.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, sent = time.monotonic(), {"status": 0, "bytes": 0}

        async def count(message: Message) -> None:
            sent["status"] = message.get("status", sent["status"])
            sent["bytes"] += len(message.get("body", b""))
            await send(message)

        try:
            await self._app(scope, receive, count)
        finally:
            seconds = time.monotonic() - started
            method = scope["method"] if scope["method"] in _METHODS else "other"
            route = getattr(scope.get("route"), "path", "other")
            self._metrics.count_request(method, route, sent["status"], seconds)
            _write("request", {"method": method, "route": route, **sent, "seconds": round(seconds, 3)})


class _JsonLines(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        row: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **getattr(record, "facts", {}),
        }
        if record.exc_info:
            row["trace"] = self.formatException(record.exc_info)
        return json.dumps(row)


def log_to_stderr() -> None:
    """Write the lines of the server, and the complaints of the libraries below it, on standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonLines())
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    _LOG.setLevel(logging.INFO)


def _write(event: str, facts: Mapping[str, Any]) -> None:
    _LOG.info(event, extra={"facts": facts})
