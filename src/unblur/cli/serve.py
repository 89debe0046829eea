"""`unblur serve`: the HTTP API."""

from __future__ import annotations

import secrets
from dataclasses import replace

import typer

from unblur.cli.option_parameters import with_server_settings
from unblur.server.settings import ServerSettings

__all__ = ["serve", "with_token"]


@with_server_settings
def serve(settings: ServerSettings) -> int:
    """Restore photos for other programs, over HTTP.

    unblur serve                                 for programs on this machine
    unblur serve --host 0.0.0.0                  for others; prints the token that they need
    """
    from unblur.server.application import make_server  # noqa: PLC0415 - help takes no time for it
    from unblur.server.process import listen  # noqa: PLC0415 - as above
    from unblur.server.process import serve as run  # noqa: PLC0415 - as above

    place = listen(settings)
    settings = with_token(settings)
    run(make_server(settings), place, lambda: typer.echo(_greeting(settings, place.getsockname()[1])))
    return 0


def with_token(settings: ServerSettings) -> ServerSettings:
    """The settings with a new token, where one is needed and none was given."""
    return settings if settings.is_local or settings.token else replace(settings, token=secrets.token_urlsafe(24))


def _greeting(settings: ServerSettings, port: int) -> str:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    token = f"\ntoken: {settings.token}" if settings.token else ""
    return f"unblur listens on http://{host}:{port}{token}"
