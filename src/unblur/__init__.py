"""One blurry photo in, a sharp one out, together with the blur that was found.

    import unblur

    answer = unblur.restore("photo.jpg")
    unblur.write_image(answer.image, "photo.sharp.jpg")
    print(answer.kernel, answer.warnings)

Names load on first use, so that `import unblur` takes no time and torch comes only with the first method that needs it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from unblur.images.files import read_image, write_image
    from unblur.methods.apply import restore
    from unblur.methods.catalog import list_methods, load_method

    __version__: str

__all__ = ["__version__", "list_methods", "load_method", "read_image", "restore", "write_image"]

_PLACES = {
    "list_methods": "unblur.methods.catalog",
    "load_method": "unblur.methods.catalog",
    "read_image": "unblur.images.files",
    "restore": "unblur.methods.apply",
    "write_image": "unblur.images.files",
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version  # noqa: PLC0415 - reads files, and few callers want it

        return version("unblur")
    if name not in _PLACES:
        raise AttributeError(f"module 'unblur' has no attribute {name!r}")
    value = getattr(import_module(_PLACES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
