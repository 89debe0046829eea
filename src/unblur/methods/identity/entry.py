"""The entries of methods that change nothing."""

from unblur.methods.entry import Entry

__all__ = ["INPUT", "SLOW_INPUT"]

INPUT = Entry(
    summary="decode and encode, nothing else: what file handling alone does to a picture",
    role="copy",
    settings="unblur.methods.identity.settings:InputSettings",
    method="unblur.methods.identity.method:Input",
    needs_torch=False,
)
SLOW_INPUT = Entry(
    summary="like input, but sleeps on the way: for tests of interruption",
    role="copy",
    settings="unblur.methods.identity.settings:SlowInputSettings",
    method="unblur.methods.identity.method:SlowInput",
    needs_torch=False,
)
