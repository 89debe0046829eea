"""Mutated files end in our error or in weights that are whole, never otherwise (goal F6)."""

import io
import zipfile

import pytest
import torch

import hostile
import hostile_checkpoints as made
from unblur.errors import CheckpointError
from unblur.weights.checkpoint import read_checkpoint

GOOD = made.good_files()
SEEDS = {
    "safe": {"a": GOOD["metadata.safetensors"]},
    "zip": {"a": GOOD["parallel.ckpt"]},
    "legacy": {"a": GOOD["legacy_parallel.ckpt"]},
}


def description(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name.partition("/")[2]: archive.read(name) for name in archive.namelist()}


def mutants(kind: str, count: int):
    if kind != "description":
        yield from (data for _, data in hostile.mutations(count, given=SEEDS[kind]))
        return
    # behind right checksums, where the mutated instructions themselves are read
    members = description(GOOD["parallel.ckpt"])
    pickle = members.pop("data.pkl")
    for _, data in hostile.mutations(count, given={"a": pickle}):
        yield made.zip_of(data, members)


def read_all(path, kind: str, count: int) -> tuple[int, int]:
    """How many were refused, how many read."""
    refused = whole = 0
    for data in mutants(kind, count):
        path.write_bytes(data)
        try:
            checkpoint = read_checkpoint(path)
        except CheckpointError:
            refused += 1
        else:
            assert all(bool(torch.isfinite(tensor).all()) for tensor in checkpoint.tensors.values())
            whole += 1
    return refused, whole


@pytest.mark.parametrize("kind", ["safe", "zip", "legacy", "description"])
def test_five_hundred_mutations(tmp_path, kind):
    refused, whole = read_all(tmp_path / "w", kind, 500)
    assert refused + whole == 500
    assert refused > 125


@pytest.mark.fuzz
@pytest.mark.timeout(24 * 3600)
@pytest.mark.parametrize("kind", ["safe", "zip", "legacy", "description"])
def test_thousands_of_mutations(tmp_path, kind):
    refused, _ = read_all(tmp_path / "w", kind, hostile.FUZZ_COUNT)
    assert refused > hostile.FUZZ_COUNT / 4
