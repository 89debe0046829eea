"""The averaged weights of a run as a file of their own, with a card that describes the run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from unblur.system.atomic import atomic_write
from unblur.training.module import SupervisedModule
from unblur.weights.safe_file import write_checkpoint

__all__ = ["export_weights"]

FORMAT_VERSION = "1"


def export_weights(
    module: SupervisedModule,
    folder: Path,
    name: str,
    *,
    step: int,
    processes: int,
    scores: Mapping[str, float],
    record: Mapping[str, Any],
    settings: Mapping[str, str],
) -> Path:
    """Write `NAME.safetensors` and the card `NAME.md`, replacing those of an earlier end of the run.

    Args:
        module: Its averaged weights are written.
        folder: Existing folder for both files.
        name: Name of the files, without extension.
        step: Number of training steps.
        processes: Number of processes; each contributed a batch to a step.
        scores: Scores of the last validation.
        record: Record of the run.
        settings: `trained_on` and `licence`, as text.

    Returns:
        The file with the weights.
    """
    own = module.objective.metadata()
    metadata = {
        "format_version": FORMAT_VERSION,
        **own,
        "trained_on": settings["trained_on"],
        "licence": settings["licence"],
        "metrics": json.dumps(dict(scores)),
        "commit": record["commit"] or "unknown",
        "steps": str(step),
    }
    path = folder / f"{name}.safetensors"
    write_checkpoint(path, module.average.average.state_dict(), metadata, overwrite=True)
    samples = step * processes * int(record["settings"].get("data.batch_size", 1))
    card = _card(name, metadata, f"{step} steps, {samples} samples", scores, record)
    atomic_write(folder / f"{name}.md", card.encode(), overwrite=True)
    return path


def _card(
    name: str, metadata: Mapping[str, str], budget: str, scores: Mapping[str, float], record: Mapping[str, Any]
) -> str:
    rows = "\n".join(f"| {key} | {value:.5g} |" for key, value in scores.items()) or "| - | - |"
    data = "\n".join(f"- {stream}: {fingerprint}" for stream, fingerprint in record["data"].items())
    return f"""---
library_name: unblur
tags: [deblurring, {metadata.get("method", "unknown")}]
license: {metadata["licence"] or "unknown"}
---

# {name}

{metadata.get("arch", "A network")}, trained with unblur {record["versions"]["unblur"]}.

## Intended blur

(to be written: what it was trained for, and what it is no use for)

## Training

- Data: {metadata["trained_on"] or "(to be written)"}
{data}
- Budget: {budget}; weights averaged
- Hardware: {record["hardware"]}
- Commit: {metadata["commit"]}
- Date: {record["date"]}

## Scores of the last validation, on samples made like those for training

| number | mean |
|---|---|
{rows}

## Limits and failure cases

(to be written, with benchmark rows)
"""
