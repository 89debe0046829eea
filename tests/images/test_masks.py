"""Masks from files and arrays."""

import numpy as np
import pytest
from PIL import Image

from unblur.errors import ReadError, RegionError
from unblur.images.masks import as_mask, read_mask

MARKED = np.zeros((6, 9), bool)
MARKED[1:4, 2:7] = True


@pytest.mark.parametrize("mode", ["1", "L", "LA", "RGB", "RGBA", "P"])
def test_files(tmp_path, mode):
    path = tmp_path / "mask.png"
    Image.fromarray(np.where(MARKED, 255, 0).astype(np.uint8)).convert(mode).save(path)
    assert np.array_equal(read_mask(path), MARKED)


def test_transparent_pixels_are_not_marked(tmp_path):
    pixels = np.full((6, 9, 4), 255, np.uint8)
    pixels[..., 3] = np.where(MARKED, 255, 0)
    Image.fromarray(pixels).save(tmp_path / "mask.png")
    assert np.array_equal(read_mask(tmp_path / "mask.png"), MARKED)


@pytest.mark.parametrize("values", [MARKED, MARKED * np.uint8(255), MARKED * 65535, MARKED * 1.0], ids=str)
def test_arrays(values):
    values = values.astype(np.uint16) if values.max() > 255 else values
    assert np.array_equal(as_mask(values), MARKED)


@pytest.mark.parametrize(("values", "says"), [(np.zeros((3, 3)), "no pixel"), (np.ones((3, 3, 3)), "shape")])
def test_what_is_no_mask(values, says):
    with pytest.raises(RegionError, match=says):
        as_mask(values)


def test_a_file_that_is_none(tmp_path):
    with pytest.raises(ReadError):
        read_mask(tmp_path / "none.png")
