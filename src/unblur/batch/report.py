"""What became of each photo, for other programs: one JSON object a line."""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

from unblur.batch.work import PhotoResult
from unblur.methods.options import RestoreOptions

__all__ = ["report_line"]


def report_line(outcome: PhotoResult, options: RestoreOptions) -> str:
    """One line of ASCII, without its end.

    Names keep every byte: control characters and what is not UTF-8 are escaped as JSON has it (a byte that is no UTF-8
    becomes a lone surrogate, which `os.fsencode` turns back).
    """
    row: dict[str, Any] = {
        "input": _name(outcome.input),
        "output": _name(outcome.output) if outcome.status != "failed" else None,
        "status": outcome.status,
        "error": outcome.error or None,
        "warnings": list(outcome.warnings),
        "method": outcome.method,
        "settings": outcome.settings,
        "kernel_size": list(outcome.kernel_size) if outcome.kernel_size else None,
        "seconds": round(outcome.seconds, 3),
        "peak_mb": round(outcome.peak_mb, 1),
        "device": outcome.device,
        "options": options.as_plain(),
        "facts": outcome.facts,
        "version": version("unblur"),
    }
    return json.dumps(row, ensure_ascii=True, default=str)


def _name(path: Path | None) -> str:
    return "-" if path is None else str(path)
