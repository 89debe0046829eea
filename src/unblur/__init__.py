"""One blurry photo in, a sharp one out, together with the blur that was found.

    import unblur

    answer = unblur.restore("photo.jpg")
    unblur.write_image(answer.image, "photo.sharp.jpg")
    print(answer.kernel, answer.warnings)

Names load on first use, so that `import unblur` takes no time and torch comes only with the first method that needs it.
"""

from __future__ import annotations

TYPE_CHECKING = False  # as in `typing`, whose import takes most of the time until the program listens to Ctrl-C

if TYPE_CHECKING:
    from typing import Any

    from unblur.errors import (
        BusyError,
        Cancelled,
        CheckpointError,
        ClusterError,
        DataError,
        DownloadError,
        FormatError,
        ImageError,
        KernelError,
        MemoryShortageError,
        MissingExtraError,
        OutputError,
        ReadError,
        RegionError,
        ServerError,
        SettingsError,
        ShapeError,
        TooLargeError,
        TrainingError,
        UnblurError,
        UnknownMethodError,
        UsageError,
        WriteError,
    )
    from unblur.images.files import read_image, write_image
    from unblur.images.picture import Picture
    from unblur.methods.apply import restore, restore_burst
    from unblur.methods.base import Restoration, Step
    from unblur.methods.catalog import list_methods
    from unblur.methods.loading import load_method
    from unblur.methods.options import Region, RestoreOptions
    from unblur.server.client import Client

    __version__: str

__all__ = [
    "BusyError",
    "Cancelled",
    "CheckpointError",
    "Client",
    "ClusterError",
    "DataError",
    "DownloadError",
    "FormatError",
    "ImageError",
    "KernelError",
    "MemoryShortageError",
    "MissingExtraError",
    "OutputError",
    "Picture",
    "ReadError",
    "Region",
    "RegionError",
    "Restoration",
    "RestoreOptions",
    "ServerError",
    "SettingsError",
    "ShapeError",
    "Step",
    "TooLargeError",
    "TrainingError",
    "UnblurError",
    "UnknownMethodError",
    "UsageError",
    "WriteError",
    "__version__",
    "list_methods",
    "load_method",
    "read_image",
    "restore",
    "restore_burst",
    "write_image",
]

_PLACES = {
    "BusyError": "unblur.errors",
    "Cancelled": "unblur.errors",
    "CheckpointError": "unblur.errors",
    "Client": "unblur.server.client",
    "ClusterError": "unblur.errors",
    "DataError": "unblur.errors",
    "DownloadError": "unblur.errors",
    "FormatError": "unblur.errors",
    "ImageError": "unblur.errors",
    "KernelError": "unblur.errors",
    "MemoryShortageError": "unblur.errors",
    "MissingExtraError": "unblur.errors",
    "OutputError": "unblur.errors",
    "Picture": "unblur.images.picture",
    "ReadError": "unblur.errors",
    "Region": "unblur.methods.options",
    "RegionError": "unblur.errors",
    "Restoration": "unblur.methods.base",
    "RestoreOptions": "unblur.methods.options",
    "ServerError": "unblur.errors",
    "SettingsError": "unblur.errors",
    "ShapeError": "unblur.errors",
    "Step": "unblur.methods.base",
    "TooLargeError": "unblur.errors",
    "TrainingError": "unblur.errors",
    "UnblurError": "unblur.errors",
    "UnknownMethodError": "unblur.errors",
    "UsageError": "unblur.errors",
    "WriteError": "unblur.errors",
    "list_methods": "unblur.methods.catalog",
    "load_method": "unblur.methods.loading",
    "read_image": "unblur.images.files",
    "restore": "unblur.methods.apply",
    "restore_burst": "unblur.methods.apply",
    "write_image": "unblur.images.files",
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version  # noqa: PLC0415 - reads files, and few callers want it

        return version("unblur")
    if name not in _PLACES:
        raise AttributeError(f"module 'unblur' has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415 - as above

    value = getattr(import_module(_PLACES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
