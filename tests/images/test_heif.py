"""HEIC photos, with the extra that reads them and without."""

import io
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import hostile
from unblur.errors import ImageError, ReadError, TooLargeError
from unblur.images.files import encode_image, read_image
from unblur.images.limits import Limits
from unblur.images.picture import FileFacts, Picture

pillow_heif = pytest.importorskip("pillow_heif")


def _heic(pixels: np.ndarray, **options: object) -> bytes:
    pillow_heif.register_heif_opener()
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "HEIF", quality=95, chroma=444, **options)
    return file.getvalue()


def test_photo_comes_upright_with_its_metadata() -> None:
    photo = read_image(_heic(hostile.photo(), exif=hostile.exif_block(6), icc_profile=hostile.icc_profile()))
    upright = np.rot90(hostile.photo(), -1)
    assert np.abs(photo.pixels.astype(int) - upright).mean() < 3
    assert (photo.facts.format, photo.facts.icc) == ("heif", hostile.icc_profile())
    again = read_image(encode_image(photo, "heif")[0])
    assert np.abs(again.pixels.astype(int) - upright).mean() < 4  # not turned a second time
    exif = Image.Exif()
    exif.load(again.facts.exif)
    assert (exif[271], exif.get(274, 1)) == ("Nonesuch", 1)


@pytest.mark.parametrize(("channels", "dtype", "bits"), [(1, "uint8", 8), (3, "uint16", 10), (4, "uint8", 8)])
def test_depth_and_channels_stay(channels: int, dtype: str, bits: int) -> None:
    pixels = hostile.photo(channels=channels, dtype=dtype)
    picture = Picture(pixels, "grey" if channels == 1 else "rgb", channels == 4, FileFacts(bits=16))
    data, notes = encode_image(picture, "heif")
    read = read_image(data)
    assert (read.pixels.shape, read.pixels.dtype, read.facts.bits) == (pixels.shape, pixels.dtype, bits)
    assert np.abs(read.pixels.astype(float) - pixels).mean() < 0.02 * np.iinfo(dtype).max
    assert any("10 bits" in note for note in notes) == (bits == 10)


def test_damaged_and_huge_files_are_refused_in_one_sentence() -> None:
    data = _heic(hostile.photo())
    with pytest.raises(ReadError, match="damaged"):
        read_image(data[: len(data) // 2])
    with pytest.raises(TooLargeError, match="million"):
        read_image(data, limits=Limits(max_pixels=100))
    for name, mutated in hostile.mutations(40, 0, {"a.heic": data}):
        with suppress(ImageError):  # any other error fails the test
            assert read_image(mutated, limits=Limits(max_pixels=1_000_000)).pixels.ndim == 3, name


def test_without_the_extra_the_sentence_names_it(tmp_path: Path) -> None:
    (tmp_path / "pillow_heif.py").write_text("raise ModuleNotFoundError(name='pillow_heif')")
    (tmp_path / "photo.jpg").write_bytes(_heic(hostile.photo()))
    code = "import sys; from unblur.images.files import read_image; read_image(sys.argv[1])"
    places = os.pathsep.join([str(tmp_path), str(Path(__file__).parents[2] / "src")])
    ended = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "photo.jpg")],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": places},
    )
    assert 'pip install "unblur[heif]"' in ended.stderr.splitlines()[-1]
