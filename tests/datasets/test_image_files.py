import pytest
import torch

from conftest import photo_of
from unblur.datasets.image_files import read_plain, read_tensor
from unblur.errors import ReadError
from unblur.images.tensors import array_to_tensor


@pytest.mark.parametrize("mode", ["RGB", "L", "P", "RGBA"])
def test_without_libvips_the_same_pixels(tmp_path, mode):
    path = tmp_path / "photo.png"
    photo_of((20, 12)).convert(mode).save(path)
    assert torch.equal(array_to_tensor(read_plain(path)), read_tensor(path))


def test_without_libvips_photos_are_upright_too(tmp_path):
    path = tmp_path / "photo.jpg"
    photo = photo_of((20, 12))
    exif = photo.getexif()
    exif[0x0112] = 6
    photo.save(path, exif=exif)
    plain, usual = array_to_tensor(read_plain(path)), read_tensor(path)
    assert plain.shape == usual.shape == (1, 3, 20, 12)
    assert (plain - usual).abs().max() <= 3 / 255


@pytest.mark.parametrize("data", [b"", b"no photo", b"\xff\xd8\xff\xe0"])
def test_without_libvips_what_is_no_photo(tmp_path, data):
    path = tmp_path / "photo.jpg"
    path.write_bytes(data)
    with pytest.raises(ReadError):
        read_plain(path)
