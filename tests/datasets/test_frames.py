from pathlib import Path

import numpy as np
import pytest
import torch

import data_trees as trees
from unblur.datasets.blur_settings import FrameAverage
from unblur.datasets.frames import average_frames, curve_of, exposures_of, read_frames
from unblur.errors import DataError, ReadError, ShapeError
from unblur.images.files import read_image


def frames_in(folder: Path, count: int) -> list[np.ndarray]:
    """A texture that moves by a pixel a frame."""
    wide = trees.photo(24, 32 + count, 3, 0)
    frames = [wide[:, i : i + 32] for i in range(count)]
    for i, frame in enumerate(frames):
        trees.save(folder / f"{i:06d}.png", frame)
    return frames


def bytes_of(image: torch.Tensor) -> np.ndarray:
    return (image[0] * 255).round().byte().permute(1, 2, 0).numpy()


@pytest.mark.parametrize("curve", ["gamma", "srgb", "none"])
def test_a_shot_is_the_mean_of_the_light_and_its_middle_frame(tmp_path, curve):
    frames = np.stack(frames_in(tmp_path, 8)) / 255
    [shot] = exposures_of(read_frames(tmp_path), FrameAverage(count=8, curve=curve))
    assert (shot.name, shot.frames) == ("000004", ("000000", "000007"))
    np.testing.assert_array_equal(bytes_of(shot.sharp), np.rint(frames[4] * 255))
    mean = {
        "gamma": lambda v: np.mean(v**2.2, 0) ** (1 / 2.2),
        "srgb": lambda v: srgb(np.mean(np.where(v <= 0.04045, v / 12.92, ((v + 0.055) / 1.055) ** 2.4), 0)),
        "none": lambda v: np.mean(v, 0),
    }[curve]
    np.testing.assert_allclose(shot.blurry[0].permute(1, 2, 0).numpy(), mean(frames), rtol=0, atol=1e-6)


def srgb(light: np.ndarray) -> np.ndarray:
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


@pytest.mark.parametrize(
    ("count", "stride", "names"),
    [
        (7, 0, ["000003", "000010"]),
        (5, 2, ["000002", "000004", "000006", "000008", "000010", "000012"]),
        (3, 9, ["000001", "000010"]),
    ],
)
def test_shots_follow_each_other_by_the_stride(tmp_path, count, stride, names):
    frames_in(tmp_path, 15)
    assert [shot.name for shot in exposures_of(read_frames(tmp_path), FrameAverage(count, stride))] == names


def test_too_few_frames_and_frames_that_differ_are_told(tmp_path):
    frames_in(tmp_path, 3)
    with pytest.raises(DataError, match="has 3 frames; an exposure is made of 8"):
        list(exposures_of(read_frames(tmp_path), FrameAverage()))
    with pytest.raises(ShapeError, match="of one size"):
        average_frames([torch.zeros(1, 3, 4, 4), torch.zeros(1, 3, 4, 5)], curve_of(FrameAverage()))


def test_a_video_is_read_frame_by_frame(tmp_path):
    cv2 = pytest.importorskip("cv2")
    place = tmp_path / "clip.avi"
    writer = cv2.VideoWriter(str(place), cv2.VideoWriter_fourcc(*"MJPG"), 30, (64, 48))
    for grey in (40, 90, 140, 190):
        writer.write(np.full((48, 64, 3), (grey, grey, grey + 20), np.uint8))
    writer.release()
    frames = list(read_frames(place))
    assert [name for name, _ in frames] == ["000000", "000001", "000002", "000003"]
    for (_, frame), grey in zip(frames, (40, 90, 140, 190), strict=True):
        red, green, blue = (frame.mean((0, 2, 3)) * 255).tolist()
        assert (green, blue) == (pytest.approx(grey, abs=4), pytest.approx(grey, abs=4))
        assert red == pytest.approx(grey + 20, abs=4)
    (tmp_path / "notes.txt").write_text("no video")
    with pytest.raises(ReadError, match="neither a folder of frames nor a video"):
        list(read_frames(tmp_path / "notes.txt"))


def test_shared_frames_average_as_the_published_pairs_were_made(data_folder):
    """All eight exposures of eight frames in the 64 shared ones, against NumPy in float64."""
    folder = data_folder / "frames/gopro240_GOPR0477_11_00_crop"
    made = list(exposures_of(read_frames(folder), FrameAverage(count=8, gamma=2.2)))
    assert len(made) == 8
    for shot in made:
        first = int(shot.frames[0])
        stored = [read_image(folder / f"{n:06d}.png").pixels.astype(np.float64) / 255 for n in range(first, first + 8)]
        expected = np.rint(np.mean(np.stack(stored) ** 2.2, 0) ** (1 / 2.2) * 255)
        assert np.abs(bytes_of(shot.blurry) - expected).max() <= 1
        np.testing.assert_array_equal(bytes_of(shot.sharp), np.rint(stored[4] * 255))
