"""The program: `unblur`, or `python -m unblur`."""

from __future__ import annotations

# What `signal` wraps: that one loads a dozen modules first, and Ctrl-C would meet them. Type checkers do not know it.
import _signal  # pyright: ignore[reportMissingImports]
import os
import sys

TYPE_CHECKING = False  # as in `typing`, for the same reason

if TYPE_CHECKING:
    from types import FrameType

__all__ = ["main"]


def main() -> int:
    """Run the program on this process's command line, and let the process end quickly; see `unblur.cli.main`."""
    # Before anything else, for loading the commands takes a while: nothing has been begun that would have to be ended.
    for number in (_signal.SIGINT, _signal.SIGTERM):
        _signal.signal(number, _quit)
    import atexit  # noqa: PLC0415 - built in, but not loaded yet

    codes: list[int] = []
    atexit.register(_leave, codes)  # first, and so called last
    from unblur.cli.main import main as run  # noqa: PLC0415 - as the comment says

    codes.append(run())
    return codes[0]


def _leave(codes: list[int]) -> None:
    """End the process once all else is done: taking torch apart, object by object, takes long and serves nothing."""
    if not codes:  # `run` failed, and the interpreter says so
        return
    from unblur.system.streams import flush_all  # noqa: PLC0415 - loaded by now

    flush_all()
    os._exit(codes[0])


def _quit(number: int, _frame: FrameType | None) -> None:
    os._exit(128 + number)


if __name__ == "__main__":
    sys.exit(main())
