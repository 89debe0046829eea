import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import torch

import data_trees as trees
from unblur.datasets import open_dataset
from unblur.datasets.blur_settings import DynamicBlur, FrameAverage, MotionFieldBlur, Sensor, ShakeBlur, Synthesis
from unblur.datasets.image_files import read_tensor
from unblur.datasets.pair_files import BlurInput, FailedInput, PairOptions, write_manifest, write_pairs, written_set
from unblur.datasets.synthesis import make_pair, seed_for
from unblur.errors import DataError, OutputError
from unblur.images.kernels import read_kernel

SYNTHESIS = Synthesis(ShakeBlur(kernel_size=9), Sensor(noise_sigma=0.01))


@pytest.fixture
def sources(tmp_path) -> list[BlurInput]:
    found = []
    for n, place in enumerate(("a", "b", "deep/c")):
        path = tmp_path / "photos" / f"{place}.png"
        trees.save(path, trees.photo(56, 64, 3, n))
        found.append(BlurInput(path, Path(place)))
    return found


def digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def make(sources: list[BlurInput], out: Path, synthesis: Synthesis = SYNTHESIS, jobs: int = 1, **wishes) -> list[dict]:
    out.mkdir(exist_ok=True)
    lines = [
        line for answer in write_pairs(sources, PairOptions(synthesis, out, **wishes), jobs=jobs) for line in answer
    ]
    write_manifest(out, lines, overwrite=True)
    return lines


@pytest.mark.parametrize("blur", [ShakeBlur(kernel_size=9), MotionFieldBlur("mild"), DynamicBlur(steps=5)])
def test_same_seed_same_bytes_whatever_the_order_and_the_jobs(sources, tmp_path, blur):
    synthesis = Synthesis(blur, Sensor(noise_sigma=0.01, jpeg_quality=90))
    make(sources, tmp_path / "one", synthesis)
    make(sources, tmp_path / "two", synthesis, jobs=3)
    assert digests(tmp_path / "one") == digests(tmp_path / "two")
    make(sources[::-1], tmp_path / "three", synthesis)
    make(sources[1:2], tmp_path / "alone", synthesis)
    one, three, alone = (digests(tmp_path / name) for name in ("one", "three", "alone"))
    for every in (one, three, alone):
        del every["manifest.jsonl"]  # its lines are in the options of the photos
    assert one == three
    assert alone.items() <= one.items()
    make(sources, tmp_path / "other", synthesis, seed=1)
    assert digests(tmp_path / "other")["blurry/a.png"] != one["blurry/a.png"]


def test_everything_that_is_true_is_written(sources, tmp_path):
    lines = make(sources, tmp_path / "out")
    assert [json.loads(line) for line in (tmp_path / "out/manifest.jsonl").read_text().splitlines()] == lines
    line = lines[2]
    assert (line["name"], line["kind"], line["encoding"], line["run_seed"]) == ("deep/c", "shake", "linear", 0)
    assert line["seed"] == seed_for(0, "deep/c")
    made = make_pair(read_tensor(sources[2].path), SYNTHESIS, line["seed"], "deep/c")
    for folder, image in (("blurry", made.pair.blurry), ("sharp", made.pair.sharp)):
        assert torch.equal(read_tensor(tmp_path / "out" / line[folder]), image)
    kernel = tmp_path / "out" / line["kernel"]
    np.testing.assert_allclose(read_kernel(kernel.with_suffix(".npy")), made.pair.kernel[0, 0].numpy(), atol=1e-7)
    np.testing.assert_allclose(read_kernel(kernel), made.pair.kernel[0, 0].numpy(), atol=1e-4)
    np.testing.assert_array_equal(np.load(tmp_path / "out" / line["trajectory"]), made.trajectory.numpy())


def test_what_was_written_is_a_data_set(sources, tmp_path):
    make(sources, tmp_path / "out")
    pairs = written_set(tmp_path / "out")
    assert pairs.names == ("a", "b", "deep/c")
    made = make_pair(read_tensor(sources[1].path), SYNTHESIS, seed_for(0, "b"), "b").pair
    assert torch.equal(pairs[1].blurry, made.blurry)
    assert pairs[1].encoding == "linear"
    torch.testing.assert_close(pairs[1].kernel, made.kernel)


def test_the_set_of_neurmap_is_made_of_variants_with_their_motion_fields(sources, tmp_path):
    synthesis = Synthesis(MotionFieldBlur("mild"), encoding="encoded")
    lines = make(sources[:2], tmp_path / "neurmap", synthesis, variants=3)
    assert [line["name"] for line in lines] == ["a_01", "a_02", "a_03", "b_01", "b_02", "b_03"]
    pairs = open_dataset("neurmap", tmp_path)
    assert len(pairs) == 6
    assert pairs[0].encoding == "encoded"
    assert pairs[0].motion_field.shape == (1, 2, *pairs[0].blurry.shape[-2:])
    assert not torch.equal(pairs[0].motion_field[..., 20, 20], pairs[1].motion_field[..., 20, 20])


def test_all_variants_of_a_photo_share_its_segmentation(sources, tmp_path):
    labels = np.ones((56, 64), np.uint8)
    labels[20:40, 20:40] = 2
    np.savez(tmp_path / "c.npz", seg0=labels)
    synthesis = Synthesis(DynamicBlur(segmentations=str(tmp_path), steps=5, shake=0, length_min=6, length_max=6))
    lines = make(sources[2:], tmp_path / "out", synthesis, variants=2)
    moving = [np.abs(np.load(tmp_path / "out" / line["motion_field"])).sum(0) > 0 for line in lines]
    np.testing.assert_array_equal(moving[0], labels == 2)
    np.testing.assert_array_equal(moving[1], labels == 2)


def test_frames_become_pairs(tmp_path):
    for i in range(6):
        trees.save(tmp_path / f"clip/{i:03d}.png", trees.photo(24, 32, 3, i))
    lines = make(
        [BlurInput(tmp_path / "clip", Path("clip"))], tmp_path / "out", Synthesis(FrameAverage(3, curve="none"))
    )
    assert [(line["name"], line["first"], line["last"]) for line in lines] == [
        ("clip/001", "000", "002"),
        ("clip/004", "003", "005"),
    ]
    pair = written_set(tmp_path / "out")[0]
    assert pair.encoding == "encoded"
    stored = np.stack([trees.photo(24, 32, 3, i) for i in range(3)]).astype(float)
    expected = torch.from_numpy(stored.mean(0)).permute(2, 0, 1)[None]
    torch.testing.assert_close(pair.blurry.double() * 255, expected, rtol=0, atol=0.51)


def test_a_bad_photo_stops_nothing_but_itself(sources, tmp_path):
    sources[1].path.write_bytes(b"no image")
    (tmp_path / "out").mkdir()
    first, second, third = write_pairs(sources, PairOptions(SYNTHESIS, tmp_path / "out"))
    assert isinstance(second, FailedInput)
    assert "b.png" in second.reason
    assert first[0]["name"] == "a"
    assert third[0]["name"] == "deep/c"


def test_outputs_are_not_replaced_unless_asked_for(sources, tmp_path):
    make(sources[:1], tmp_path / "out")
    [again] = write_pairs(sources[:1], PairOptions(SYNTHESIS, tmp_path / "out"))
    assert isinstance(again, FailedInput)
    assert "exists already" in again.reason
    make(sources[:1], tmp_path / "out", overwrite=True)
    (tmp_path / "out2").write_text("a file in the way")
    with pytest.raises(OutputError):
        list(write_pairs(sources[:1], PairOptions(SYNTHESIS, tmp_path / "out2")))


def test_a_written_set_that_is_damaged_is_told_in_one_sentence(sources, tmp_path):
    make(sources, tmp_path / "out")
    (tmp_path / "out/kernel/a.npy").write_bytes(b"no array")
    with pytest.raises(DataError, match="expected a NumPy array at"):
        written_set(tmp_path / "out")[0]
    (tmp_path / "out/manifest.jsonl").write_text("no JSON\n")
    with pytest.raises(DataError, match="expected a JSON object"):
        written_set(tmp_path / "out")
