"""Files over HTTP whose size and checksum are known: whole under their name, or not there.

urllib does the transfer: pooch, which this package would otherwise use, begins again at the first byte after a cut, and
one file here has 272 MB.
"""

from __future__ import annotations

import hashlib
import os
import socket
import ssl
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import BinaryIO
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from unblur.errors import DownloadError
from unblur.system.atomic import explain
from unblur.system.scratch import write_all
from unblur.system.text import quote
from unblur.weights.public import RemoteFile

__all__ = ["OnBytes", "Patience", "copy_file", "download"]

OnBytes = Callable[[int], None]
"""Called with the number of further bytes; negative where some have to be downloaded again."""

_RETRIES = 3
_CHUNK = 1 << 17
_WORTH_ANOTHER_TRY = {408, 425, 429}


@dataclass(frozen=True)
class Patience:
    """How long a server may take.

    Attributes:
        seconds: Without a byte, and before the rate counts.
        slowest: Bytes a second; below, a transfer counts as stalled.
        pause: Seconds before the first further try; twice as long before each other one.
    """

    seconds: float = 20.0
    slowest: float = 1_000.0
    pause: float = 1.0


class _InterruptedTransfer(Exception):  # noqa: N818 - it may go on
    """The transfer ended before the file did; another try may help."""


def download(address: str, target: Path, file: RemoteFile, on_bytes: OnBytes, patience: Patience | None = None) -> None:
    """Download a file, going on where an earlier try ended, also that of another process.

    Args:
        address: URL of the file; http or https.
        target: Gets the file once its size and checksum are right; what there is of it until then is in `target.part`.
        file: Size and checksum that it must have.
        on_bytes: Called with progress.
        patience: Time limits for the server.

    Raises:
        DownloadError: It cannot be downloaded: three further tries did not help, or it is another file.
        OutputError: It cannot be written; the disk may be full.
    """
    patience = patience or Patience()
    if not address.startswith(("https://", "http://")):
        raise DownloadError(f"{quote(address, 200)} is no address that begins with https:// or http://")
    part = target.with_name(target.name + ".part")
    on_bytes(_size(part))
    reason = ""
    for trial in range(_RETRIES + 1):
        begun = _size(part)
        try:
            _download_rest(address, part, file.bytes, on_bytes, patience)
            if _take(part, target, file, on_bytes):
                return
            if not begun:  # all of one answer: another would be the same
                raise DownloadError(f"{address} is another file: its checksum is wrong")
            reason = "the checksum was wrong"
        except _InterruptedTransfer as error:
            reason = str(error)
        if trial < _RETRIES:
            time.sleep(patience.pause * 2**trial)
    raise DownloadError(f"{address} could not be downloaded in {_RETRIES + 1} tries ({reason})")


def copy_file(source: Path, target: Path, file: RemoteFile, on_bytes: OnBytes) -> None:
    """A copy of a file of the user's, checked while it is made.

    Raises:
        DownloadError: The file cannot be read, or is another one.
        OutputError: It cannot be written.
    """
    part = target.with_name(target.name + ".part")
    _drop(part, on_bytes)
    try:
        with source.open("rb") as given:
            if os.fstat(given.fileno()).st_size != file.bytes:
                raise DownloadError(f"{quote(str(source), 300)} {_other(file)}")
            with _appending(part) as append:
                while chunk := given.read(_CHUNK):
                    append(chunk)
                    on_bytes(len(chunk))
    except OSError as error:
        raise DownloadError(f"{quote(str(source), 300)} cannot be read: {(error.strerror or '').lower()}") from error
    if not _take(part, target, file, on_bytes):
        raise DownloadError(f"{quote(str(source), 300)} {_other(file)}")


def _other(file: RemoteFile) -> str:
    return f"is another file than {file.name} of {file.bytes:,} bytes with the sha256 {file.sha256}"


def _download_rest(address: str, part: Path, size: int, on_bytes: OnBytes, patience: Patience) -> None:
    """Append what is missing.

    Raises:
        _InterruptedTransfer: The server or the network ended it too early.
        DownloadError: Further tries would not help.
    """
    begin = _size(part)
    if begin >= size:
        return
    headers = {"User-Agent": "unblur", "Accept-Encoding": "identity"}
    if begin:
        headers["Range"] = f"bytes={begin}-"
    try:
        with urlopen(Request(address, headers=headers), timeout=patience.seconds) as answer:  # noqa: S310 - http(s)
            if begin and not _goes_on(answer, begin):
                _drop(part, on_bytes)
                begin = 0
            _refuse_other_size(address, answer, size - begin)
            _copy(answer, part, size, on_bytes, patience)
    except HTTPError as error:
        _explain_status(address, error, part, on_bytes)
    except TimeoutError:
        raise _InterruptedTransfer(f"nothing came for {patience.seconds:g} s") from None
    except URLError as error:
        _explain_failure(address, error.reason, patience)
    except (HTTPException, OSError) as error:
        raise _InterruptedTransfer(f"the connection broke: {quote(error)}") from None
    if _size(part) < size:
        raise _InterruptedTransfer(f"the connection ended after {_size(part):,} of {size:,} bytes")


def _copy(answer: HTTPResponse, part: Path, size: int, on_bytes: OnBytes, patience: Patience) -> None:
    start, came, left = time.monotonic(), 0, size - _size(part)
    with _appending(part) as append:
        while chunk := answer.read1(min(_CHUNK, left + 1)):
            if len(chunk) > left:
                raise DownloadError(f"{answer.url} is another file: it is larger than {size:,} bytes")
            append(chunk)
            on_bytes(len(chunk))
            came, left = came + len(chunk), left - len(chunk)
            seconds = time.monotonic() - start
            if left and seconds > patience.seconds and came < seconds * patience.slowest:
                raise _InterruptedTransfer(f"{came:,} bytes came in {seconds:.0f} s")


def _goes_on(answer: HTTPResponse, begin: int) -> bool:
    """Whether the server sends the rest; it may as well send all of it."""
    return answer.status == 206 and (answer.headers.get("Content-Range") or "").startswith(f"bytes {begin}-")


def _refuse_other_size(address: str, answer: HTTPResponse, expected: int) -> None:
    stated = answer.headers.get("Content-Length")
    if stated is not None and stated.isdecimal() and int(stated[:20]) > expected:
        raise DownloadError(f"{address} is another file: it has more bytes than the {expected:,} that are missing")


def _explain_status(address: str, error: HTTPError, part: Path, on_bytes: OnBytes) -> None:
    error.close()
    if error.code == 416:
        _drop(part, on_bytes)  # it has fewer bytes than there are here: all of it again
        raise _InterruptedTransfer("the server has a shorter file")
    if error.code >= 500 or error.code in _WORTH_ANOTHER_TRY:
        raise _InterruptedTransfer(f"the server answered {error.code}")
    raise DownloadError(f"{address} cannot be downloaded: the server answered {error.code}")


def _explain_failure(address: str, reason: object, patience: Patience) -> None:
    if isinstance(reason, TimeoutError):
        raise _InterruptedTransfer(f"nothing came for {patience.seconds:g} s")
    if isinstance(reason, ssl.SSLCertVerificationError):
        raise DownloadError(f"{address} cannot be downloaded: the server's certificate is not trusted here")
    if isinstance(reason, socket.gaierror | ConnectionRefusedError) or not isinstance(reason, OSError):
        raise DownloadError(f"{address} cannot be reached")
    raise _InterruptedTransfer(f"the connection broke: {quote(reason)}")


def _take(part: Path, target: Path, file: RemoteFile, on_bytes: OnBytes) -> bool:
    """Give a whole file its name; remove another one."""
    try:
        with part.open("rb") as whole:
            is_right = hashlib.file_digest(whole, "sha256").hexdigest() == file.sha256
            os.fsync(whole.fileno())
        if is_right:
            part.replace(target)
    except OSError as error:
        raise explain(error) from error
    if not is_right:
        _drop(part, on_bytes)
    return is_right


@contextmanager
def _appending(part: Path) -> Generator[Callable[[bytes], None]]:
    """A function that adds bytes to the file; its errors are those of a disk, not of a network."""

    def append(chunk: bytes) -> None:
        try:
            write_all(file.fileno(), chunk)
        except OSError as error:
            raise explain(error) from error

    with _open(part) as file:
        yield append


def _open(part: Path) -> BinaryIO:
    try:
        return part.open("ab", buffering=0)
    except OSError as error:
        raise explain(error) from error


def _drop(part: Path, on_bytes: OnBytes) -> None:
    on_bytes(-_size(part))
    part.unlink(missing_ok=True)


def _size(part: Path) -> int:
    try:
        return part.stat().st_size
    except FileNotFoundError:
        return 0
