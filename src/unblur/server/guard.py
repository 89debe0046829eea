"""Who may speak to the server: neither pages of other sites nor, where there is a token, anybody without it.

A page of any site can make a browser send requests to this machine. It cannot choose the headers `Host` and `Origin`:
what it sends has a foreign origin, and after DNS rebinding a foreign host.
"""

from __future__ import annotations

import ipaddress
import secrets
from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from unblur.server.answers import error_answer
from unblur.server.settings import ServerSettings

__all__ = ["TOKEN_COOKIE", "Guard"]

TOKEN_COOKIE = "unblur-token"  # noqa: S105 - the name of the cookie
_OPEN_PATHS = frozenset({"/healthz", "/readyz"})
"""What needs no token: they say nothing but that the server is there."""
_LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_HEADERS: Mapping[str, str] = {
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
"""Of every answer that does not set them itself."""


class Guard:
    """Refuses what comes from foreign pages or without the token, and sets the headers that keep answers inert.

    Browsers, which cannot add a header to the address of a page, may give the token once as `?token=` and have it in a
    cookie from then on.

    Args:
        app: What is guarded.
        settings: Names, address and token.
    """

    def __init__(self, app: ASGIApp, settings: ServerSettings) -> None:
        self._app, self._settings = app, settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what is allowed."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)

        async def send_inert(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    own.setdefault(name, value)
            await send(message)

        if reason := self._reason_to_refuse(scope, headers):
            await error_answer(403, "forbidden", reason)(scope, receive, send_inert)
        elif self._brings_token(scope):
            answer = RedirectResponse(scope["path"], 303)
            answer.set_cookie(TOKEN_COOKIE, self._settings.token, httponly=True, samesite="strict")
            await answer(scope, receive, send_inert)
        elif not self._has_token(scope, headers):
            answer = error_answer(401, "unauthorized", "the token is missing or wrong", {"www-authenticate": "Bearer"})
            await answer(scope, receive, send_inert)
        else:
            await self._app(scope, receive, send_inert)

    def _reason_to_refuse(self, scope: Scope, headers: Headers) -> str:
        hosts = headers.getlist("host")
        if len(hosts) != 1 or not self._is_own(hosts[0], scope):
            return "this server is not reached under that name"
        origins = headers.getlist("origin")
        is_foreign = any(urlsplit(origin).netloc.lower() != hosts[0].lower() for origin in origins)
        if is_foreign or any(urlsplit(origin).scheme not in ("http", "https") for origin in origins):
            return "requests from pages of other sites are refused"
        site = headers.get("sec-fetch-site", "same-origin")
        if site not in ("same-origin", "none") and (
            scope["type"] == "websocket" or scope["method"] not in _SAFE_METHODS
        ):
            return "requests from pages of other sites are refused"
        return ""

    def _is_own(self, host: str, scope: Scope) -> bool:
        """Whether a `Host` names this server: by its names, or by the very address at which the request arrived."""
        try:
            name = urlsplit(f"//{host}").hostname or ""
            _ = urlsplit(f"//{host}").port  # raises where it is none
        except ValueError:
            return False
        if any(sign in host for sign in "/?#@\\ "):
            return False
        own = {*_LOCAL_NAMES, self._settings.host.lower(), *(given.lower() for given in self._settings.names)}
        return name in own or (not self._settings.is_local and _is_address(name, (scope.get("server") or ("",))[0]))

    def _has_token(self, scope: Scope, headers: Headers) -> bool:
        if not self._settings.token or (scope["path"] in _OPEN_PATHS and scope["type"] == "http"):
            return True
        kind, _, given = headers.get("authorization", "").partition(" ")
        return (kind.lower() == "bearer" and self._is_token(given.strip())) or self._is_token(_cookie(headers))

    def _brings_token(self, scope: Scope) -> bool:
        if scope["type"] != "http" or scope["method"] != "GET" or not self._settings.token:
            return False
        given = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])
        return self._is_token(given[0])

    def _is_token(self, given: str) -> bool:
        return secrets.compare_digest(given.encode(), self._settings.token.encode())


def _cookie(headers: Headers) -> str:
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(TOKEN_COOKIE)
    except CookieError:
        return ""
    return found.value if found else ""


def _is_address(name: str, arrived_at: str) -> bool:
    try:
        return ipaddress.ip_address(name) == ipaddress.ip_address(arrived_at)
    except ValueError:
        return False
