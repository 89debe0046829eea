import pytest
import torch

from unblur.datasets.scene_streams import BlurPart, SceneStream
from unblur.datasets.unpaired_streams import SemiSupervisedStream, UnpairedStream
from unblur.errors import DataError, SettingsError


@pytest.fixture
def folders(make_photo):
    """Three blurry photos and five sharp ones, all of different sizes, one smaller than the crops."""
    for number in range(3):
        make_photo(f"blurry/{number}.png", size=(40 + 8 * number, 50), seed=number)
    for number in range(5):
        make_photo(f"sharp/{number}.png", size=(60, 20 + 12 * number), seed=10 + number)
    return str(make_photo("blurry/0.png").parent), str(make_photo("sharp/0.png", size=(60, 20), seed=10).parent)


def stream_of(folders, **more) -> UnpairedStream:
    return UnpairedStream([folders[0]], [folders[1]], size=32, **more)


def test_photos_of_different_sizes_and_numbers(folders):
    stream = stream_of(folders)
    assert len(stream.paths) == 8
    for index in range(12):
        sample = stream.sample(index)
        assert {name: tuple(crop.shape) for name, crop in sample.items()} == {
            "unpaired_blurry": (3, 32, 32),
            "unpaired_sharp": (3, 32, 32),
        }


def test_a_sample_is_the_same_whenever_it_is_asked_for(folders):
    first, second = stream_of(folders), stream_of(folders)
    expected = [first.sample(index)["unpaired_sharp"] for index in range(3)]
    assert torch.equal(second.sample(2)["unpaired_sharp"], expected[2])
    assert not torch.equal(expected[0], expected[2])
    assert not torch.equal(stream_of(folders, seed=1).sample(2)["unpaired_sharp"], expected[2])


def test_pairs_beside(folders):
    paired = SceneStream([folders[0]], [BlurPart("shake", blur={"kernel_size": 9})], size=32)
    stream = SemiSupervisedStream(paired, stream_of(folders))
    assert set(stream.sample(0)) == {"blurry", "sharp", "unpaired_blurry", "unpaired_sharp"}
    assert torch.equal(stream.sample(1)["blurry"], paired.sample(1)["blurry"])
    assert len(stream.paths) == 3 + 8


def test_wrong_use(folders, tmp_path):
    with pytest.raises(DataError, match="there is no folder"):
        UnpairedStream([folders[0]], [str(tmp_path / "nowhere")])
    with pytest.raises(SettingsError, match="at least one folder"):
        UnpairedStream([], [folders[1]])
    with pytest.raises(SettingsError, match="size takes"):
        UnpairedStream([folders[0]], [folders[1]], size=0)
