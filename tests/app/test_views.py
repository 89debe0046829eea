"""What the page shows of a photo."""

import numpy as np
import pytest
from PIL import Image, ImageCms

from conftest import photo_of
from unblur.app.views import write_view
from unblur.errors import ReadError
from unblur.images.files import write_image
from unblur.images.picture import FileFacts, Picture


def test_large_photo_is_shown_small(tmp_path):
    photo_of((3000, 1500)).save(tmp_path / "photo.png")
    view = write_view(tmp_path / "photo.png", tmp_path / "view.jpg")
    assert (view.width, view.height) == (3000, 1500)
    with Image.open(view.path) as shown:
        assert shown.width * shown.height == pytest.approx(2_000_000, rel=0.01)
        assert shown.width == 2 * shown.height


def test_photo_is_shown_upright_in_the_colours_of_its_profile(tmp_path):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exif = Image.Exif()
    exif[0x0112] = 6
    photo_of((40, 24)).save(tmp_path / "photo.jpg", exif=exif, icc_profile=profile)
    view = write_view(tmp_path / "photo.jpg", tmp_path / "view.jpg")
    with Image.open(view.path) as shown:
        assert shown.size == (24, 40) == (view.width, view.height)
        assert shown.info["icc_profile"] == profile
        assert 0x0112 not in shown.getexif()


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize(("space", "channels"), [("grey", 1), ("rgb", 3)])
def test_depths_and_spaces(tmp_path, dtype, space, channels):
    peak = 1 if dtype == "float32" else np.iinfo(dtype).max
    pixels = np.broadcast_to(np.linspace(0, peak, 20)[:, None], (16, 20, channels)).astype(dtype)
    bits = {"uint8": 8, "uint16": 16, "float32": 32}[dtype]
    write_image(Picture(pixels, space, facts=FileFacts(bits=bits)), tmp_path / "photo.tif")
    view = write_view(tmp_path / "photo.tif", tmp_path / "view.jpg")
    with Image.open(view.path) as shown:
        grey = np.asarray(shown.convert("L"), float)
    np.testing.assert_allclose(grey, np.broadcast_to(np.linspace(0, 255, 20), (16, 20)), atol=6)


def test_no_photo_is_refused(tmp_path):
    (tmp_path / "photo.jpg").write_bytes(b"no photo")
    with pytest.raises(ReadError):
        write_view(tmp_path / "photo.jpg", tmp_path / "view.jpg")
