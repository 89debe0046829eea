import tarfile

import pytest
import torch

from conftest import photo_of
from unblur.datasets.image_files import read_tensor
from unblur.datasets.photos import photo_paths
from unblur.datasets.sampling import DecodedPhotos
from unblur.datasets.shards import size_of_photo
from unblur.datasets.streams import UniformBlurStream
from unblur.errors import DataError, ReadError

PHOTOS = 5


@pytest.fixture
def folders(tmp_path):
    """The same photos as files and in two shards."""
    plain, sharded = tmp_path / "plain", tmp_path / "sharded"
    for folder in (plain, sharded):
        folder.mkdir()
    for number in range(PHOTOS):
        photo_of((80, 72), number).save(plain / f"{number}.png")
    for shard, numbers in (("a.tar", (0, 1)), ("b.tar", (2, 3, 4))):
        with tarfile.open(sharded / shard, "w") as archive:
            for number in numbers:
                archive.add(plain / f"{number}.png", f"./deep/{number}.png")
            archive.add(__file__, "read.me")
    return plain, sharded


def test_a_stream_is_the_same_from_shards(folders):
    streams = [UniformBlurStream([str(folder)], size=32, margin=4, kernel_box=45, seed=3) for folder in folders]
    assert [path.name for path in streams[0].paths] == [path.name for path in streams[1].paths]
    for index in range(4):
        one, other = (stream.sample(index) for stream in streams)
        assert all(torch.equal(one[name], other[name]) for name in one)


def test_sizes_are_those_of_the_photos(folders):
    plain, sharded = (photo_paths([str(folder)]) for folder in folders)
    assert [size_of_photo(path) for path in plain] == [size_of_photo(path) for path in sharded]


def test_what_is_wrong_is_named(folders):
    _, sharded = folders
    with pytest.raises(ReadError, match=r"a\.tar has no deep/9\.png"):
        read_tensor(sharded / "a.tar" / "deep" / "9.png")
    (sharded / "c.tar").write_bytes(b"no tar file" * 100)
    with pytest.raises(DataError, match=r"c.tar' is no uncompressed tar file"):
        photo_paths([str(sharded)])


def test_memory_for_decoded_photos_is_bounded(folders):
    paths = photo_paths([str(folders[1])])
    photos = DecodedPhotos(lambda photo: photo, most=2 * 3 * 76 * 68)
    read = [photos[path] for path in paths]
    assert len(photos._decoded) == 2
    assert all(torch.equal(photos[path], before) for path, before in zip(paths, read, strict=True))
