"""What a server may be asked and what it allows; the options of `unblur serve` and `unblur app` derive from it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from ipaddress import ip_address
from typing import Annotated

from unblur.errors import UsageError

__all__ = ["ServerSettings"]


@dataclass(frozen=True)
class ServerSettings:
    """Where a server listens, who may use it, and its limits.

    Raises:
        UsageError: A limit that is not positive, or no device.
    """

    host: Annotated[str, "Address to listen on; any but this machine's own needs a token."] = "127.0.0.1"
    port: Annotated[int, "Port to listen on; 0: a free one."] = 8765
    token: Annotated[
        str, "Clients send it as 'Authorization: Bearer TOKEN'. Default: generated where one is needed."
    ] = ""
    names: Annotated[tuple[str, ...], "Further host names under which clients reach the server."] = ()
    devices: Annotated[tuple[str, ...], "A worker process for each: auto, cpu, cuda, cuda:N or mps."] = ("auto",)
    queue: Annotated[int, "Photos that may wait; further ones are refused (429)."] = 16
    body: Annotated[int, "Largest request in bytes."] = 50_000_000
    uploads: Annotated[int, "Bytes of all requests together that are being received."] = 1_000_000_000
    pixels: Annotated[int, "Largest photo in pixels."] = 50_000_000
    seconds: Annotated[float, "Longest work on a photo whose client waits for it, in seconds."] = 120.0
    job_seconds: Annotated[float, "Longest work on a photo of a job, in seconds."] = 3600.0
    header_seconds: Annotated[float, "Within which a request's head must arrive."] = 10.0
    body_seconds: Annotated[float, "Within which a request's body must arrive."] = 30.0
    keep_seconds: Annotated[float, "For which results of jobs are kept."] = 600.0
    keep_bytes: Annotated[int, "Bytes of all kept results together; the oldest go first."] = 1_000_000_000
    stop_seconds: Annotated[float, "That running work has to end when the server is stopped."] = 15.0

    def __post_init__(self) -> None:
        for item in fields(self):
            value = getattr(self, item.name)
            if isinstance(value, int | float) and value <= 0 and item.name != "port":
                raise UsageError(f"the server's {item.name.replace('_', '-')} is positive, not {value:g}")
        if not self.devices:
            raise UsageError("the server has no device; name one, such as auto")

    @property
    def is_local(self) -> bool:
        """Whether only this machine can reach the address."""
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"
