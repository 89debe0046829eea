"""`unblur app`: the web page."""

from __future__ import annotations

import gc
from collections.abc import Generator
from contextlib import contextmanager
from functools import partial

import typer

from unblur.app.quick_import import leave_out_help
from unblur.cli.option_parameters import with_server_settings
from unblur.cli.serve import with_token
from unblur.server.settings import ServerSettings
from unblur.system.extras import import_extra

__all__ = ["app"]


@partial(with_server_settings, only=("host", "port", "token", "names", "devices"))
def app(settings: ServerSettings) -> int:
    """Open the web page: photos in, sharp ones out, with the kernel in hand.

    unblur app                                   for browsers on this machine
    unblur app --host 0.0.0.0                    for others; prints the address with the token that they need
    """
    with _without_collecting_garbage():
        leave_out_help()
        import_extra("gradio", "unblur app")  # first: its extra brings what the server needs, too
        from unblur.app.application import make_app, with_page_limits  # noqa: PLC0415 - help takes no time for it
        from unblur.server.process import listen, serve  # noqa: PLC0415 - as above

        place = listen(settings)
        settings = with_page_limits(with_token(settings))
        server = make_app(settings)
    serve(server, place, lambda: typer.echo(_address(settings, place.getsockname()[1])))
    return 0


@contextmanager
def _without_collecting_garbage() -> Generator[None]:
    """What is loaded here stays until the end; looking for garbage in it takes a fifth of the time of the start."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def _address(settings: ServerSettings, port: int) -> str:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    query = f"/?token={settings.token}" if settings.token else ""
    return f"The page is at http://{host}:{port}{query}"
