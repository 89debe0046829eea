"""Optional dependencies: which extra of `unblur` installs a package, and one sentence where it is missing."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from unblur.errors import MissingExtraError

__all__ = ["EXTRAS", "import_extra", "install_line", "missing_extra"]

EXTRAS = {
    "cv2": ("opencv-python-headless", "bench"),
    "fastapi": ("fastapi", "server"),
    "fsspec": ("fsspec", "cluster"),
    "gradio": ("gradio", "app"),
    "httpx": ("httpx", "server"),
    "jinja2": ("jinja2", "bench"),
    "jsonargparse": ("jsonargparse", "train"),
    "lightning": ("lightning", "train"),
    "matplotlib": ("matplotlib", "bench"),
    "onnx": ("onnx", "onnx"),
    "onnxruntime": ("onnxruntime", "onnx"),
    "onnxscript": ("onnxscript", "onnx"),
    "pillow_heif": ("pillow-heif", "heif"),
    "prometheus_client": ("prometheus-client", "server"),
    "python_multipart": ("python-multipart", "server"),
    "ray": ("ray", "cluster"),
    "rawpy": ("rawpy", "raw"),
    "s3fs": ("s3fs", "cluster"),
    "scipy": ("scipy", "bench"),
    "skimage": ("scikit-image", "bench"),
    "starlette": ("starlette", "server"),
    "tensorboard": ("tensorboard", "train"),
    "torchmetrics": ("torchmetrics", "metrics"),
    "torchvision": ("torchvision", "metrics"),
    "uvicorn": ("uvicorn", "server"),
}
"""By the name that Python imports: the package that contains it, and the extra that installs that package."""


def import_extra(module: str, purpose: str) -> Any:
    """The module, imported.

    Args:
        module: Name of a module of one of `EXTRAS`, such as `skimage.measure`.
        purpose: What it is needed for, the subject of the sentence: "the metric blur_effect".

    Raises:
        MissingExtraError: The package is not installed, or it fails on import, as a torchvision of another build does.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        raise missing_extra(error, purpose) or error from None
    except Exception as error:  # a package that does not fit the others fails with errors of any kind
        package, extra = EXTRAS[module.partition(".")[0]]
        reason = f"{purpose} needs {package}, which fails on import ({error}); install it with {install_line(extra)}"
        raise MissingExtraError(reason) from error


def missing_extra(error: ModuleNotFoundError, purpose: str) -> MissingExtraError | None:
    """The same error as one sentence that says what to install; None where no extra would help."""
    found = EXTRAS.get((error.name or "").partition(".")[0])
    if found is None:
        return None
    package, extra = found
    return MissingExtraError(
        f"{purpose} needs {package}, which is not installed; install it with {install_line(extra)}"
    )


def install_line(extra: str) -> str:
    """The command that installs an extra."""
    return f'pip install "unblur[{extra}]"'
