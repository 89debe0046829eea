import json
from pathlib import Path

import pytest
import torch

from unblur.blur.motion_fields import blur_by_motion_field
from unblur.datasets.catalog import open_dataset
from unblur.datasets.generated import SPLITS, make_kernel_synthesised
from unblur.errors import DataError, OutputError


@pytest.fixture
def photos(make_photo) -> Path:
    for number in range(23):
        make_photo(f"photos/{number:02d}.png", size=(64, 80), seed=number)
    return make_photo("photos/23.png", size=(64, 80), seed=23).parent


def names_in(folder: Path) -> set[str]:
    """Photos that a part of the set is made of."""
    return {path.name.rpartition("_")[0] for path in (folder / "blurry").iterdir()}


def test_parts_share_no_photo(photos, run, tmp_path):
    out = tmp_path / "neurmap"
    ran = run("data", "make", "kernel-synthesised", photos, "-o", out, "--variants", 2)
    assert ran.code == 0
    assert "36 pairs in train, 4 pairs in validation, 8 pairs in test" in ran.err
    parts = {split: names_in(out / split) for split in SPLITS}
    assert {split: len(names) for split, names in parts.items()} == {"train": 18, "validation": 2, "test": 4}
    assert len(set().union(*parts.values())) == 24
    pairs = open_dataset("neurmap", tmp_path, "validation")
    assert len(pairs) == 4
    pair = pairs[0]
    assert pair.encoding == "encoded"
    again = blur_by_motion_field(pair.sharp, pair.motion_field)
    inner = slice(14, -14)
    assert (again - pair.blurry)[..., inner, inner].abs().max() < 2 / 255
    manifest = (out / "test" / "manifest.jsonl").read_text().splitlines()
    assert {json.loads(line)["blur"]["strength"] for line in manifest} == {"strong"}


def test_another_seed_is_other_motion_in_the_same_parts(photos, tmp_path):
    for seed in (1, 2):
        list(make_kernel_synthesised([photos], tmp_path / f"{seed}/neurmap", variants=1, seed=seed))
    one, other = (open_dataset("neurmap", tmp_path / seed) for seed in "12")
    assert one.names == other.names
    assert not torch.equal(one[0].motion_field[..., :4, :4], other[0].motion_field[..., :4, :4])


def test_wrong_use(photos, make_photo, tmp_path):
    few = make_photo("few/a.png").parent
    with pytest.raises(DataError, match="expected at least 12 photos"):
        list(make_kernel_synthesised([few], tmp_path / "out"))
    with pytest.raises(DataError, match="the same name"):
        list(make_kernel_synthesised([photos, photos], tmp_path / "out"))
    (tmp_path / "out" / "test").mkdir(parents=True)
    (tmp_path / "out" / "test" / "manifest.jsonl").touch()
    with pytest.raises(OutputError, match="holds a data set already"):
        list(make_kernel_synthesised([photos], tmp_path / "out"))
