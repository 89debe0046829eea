"""The server's application with the page on it: one process, one queue, and nothing that is loaded from elsewhere."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from fastapi import FastAPI
from gradio.routes import mount_gradio_app
from gradio.themes import Base
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.responses import FileResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from unblur.app.page import build_page
from unblur.app.sessions import FILES_PATH, Sessions
from unblur.images.limits import Limits
from unblur.server.application import make_server
from unblur.server.settings import ServerSettings
from unblur.server.storage import Storage

__all__ = ["make_app", "with_page_limits"]

_STATIC = Path(__file__).parent / "static"
_DAY = 86400.0
_POLICY = (
    # Gradio's templates are functions that are made of text: hence unsafe-eval. Nothing is loaded from, or sent to,
    # any other server.
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; worker-src 'self' blob:; "
    "frame-ancestors 'none'; base-uri 'self'; form-action 'self'; object-src 'none'"
)
_FONTS = ("system-ui", "sans-serif"), ("ui-monospace", "monospace")


def make_app(settings: ServerSettings) -> FastAPI:
    """The server's application with the page at `/`.

    Args:
        settings: As of `with_page_limits`, for photos of the command line's size.
    """
    server = make_server(settings)
    storage = Storage()
    # Gradio reads where uploads go from the environment, and once.
    os.environ["GRADIO_TEMP_DIR"] = str(storage.make_folder())
    sessions = Sessions(storage)
    _add_files(server, sessions)
    _close_with(server, storage)
    theme = Base(primary_hue="blue", neutral_hue="slate", font=_FONTS[0], font_mono=_FONTS[1])
    mount_gradio_app(
        server,
        build_page(sessions, server.state.queue),
        path="/",
        theme=theme.set(
            button_primary_background_fill="*primary_700",
            button_primary_background_fill_hover="*primary_800",
            button_primary_background_fill_dark="*primary_700",
            button_primary_text_color="white",
            block_info_text_color="*neutral_600",
            block_info_text_color_dark="*neutral_300",
            body_text_color_subdued="*neutral_600",
            body_text_color_subdued_dark="*neutral_300",
        ),
        css_paths=_STATIC / "page.css",
        head='<script src="page.js" defer></script>',
        footer_links=[],
        ssr_mode=False,
        pwa=False,
        mcp_server=False,
        app_kwargs={"middleware": [Middleware(_WithPolicy)]},
        run_history=False,
        show_error=False,
    )
    return server


def with_page_limits(settings: ServerSettings) -> ServerSettings:
    """The settings with limits that let pass what the command line takes, for a day: the page serves its owner."""
    limits = Limits()
    return replace(
        settings,
        pixels=limits.max_pixels,
        body=2 * limits.max_bytes,  # several photos are uploaded in one request
        uploads=4 * limits.max_bytes,
        body_seconds=_DAY / 24,
        job_seconds=_DAY,
        keep_seconds=_DAY,
    )


def _add_files(server: FastAPI, sessions: Sessions) -> None:
    """The page's script, and the files of its sessions."""

    @server.get("/page.js", include_in_schema=False)
    def read_script() -> Response:
        return FileResponse(_STATIC / "page.js", media_type="text/javascript")

    @server.get(f"{FILES_PATH}/{{key}}/{{name}}", include_in_schema=False)
    def read_file(key: str, name: str) -> Response:
        path = sessions.find(key)
        if path is None or path.name != name or not path.is_file():
            raise HTTPException(404, "there is no such file; the page that it belonged to may have been closed")
        return FileResponse(path)


def _close_with(server: FastAPI, storage: Storage) -> None:
    """Remove the page's files when the application ends."""
    inner = server.router.lifespan_context

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        async with inner(app):
            yield
        storage.close()

    server.router.lifespan_context = lifespan


class _WithPolicy:
    """Gradio's application under the page's Content-Security-Policy."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_policy(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["content-security-policy"] = _POLICY
            await send(message)

        await self._app(scope, receive, send_with_policy)
