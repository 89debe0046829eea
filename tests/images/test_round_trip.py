"""What goes in comes out: every format, mode, depth, profile and orientation."""

import io
import os

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageOps

import hostile
from unblur.images.decoding import decode
from unblur.images.files import encode_image, read_image, write_image
from unblur.images.picture import FileFacts, Picture
from unblur.images.signatures import format_of_name
from unblur.system import scratch

LOSSLESS = ("png", "tiff", "webp", "bmp")
BEYOND_PILLOW = {"grey16.png", "planar16.tif", "min-is-white16.tif", "float.tif", "big-endian.tif"}
NAMES = {"jpeg": "JPEG", "png": "PNG", "tiff": "TIFF", "webp": "WEBP", "bmp": "BMP", "gif": "GIF", "avif": "AVIF"}


def again(data: bytes, kind: str | None = None, **options: bool) -> tuple[Picture, tuple[str, ...]]:
    """The picture after one read and write."""
    picture = read_image(data)
    encoded, notes = encode_image(picture, kind or picture.facts.format, **options)
    return read_image(encoded), notes


def pillow(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


@pytest.mark.parametrize("name", hostile.good_files())
def test_good_file_keeps_pixels_and_mode_in_its_own_format(name: str) -> None:
    data = hostile.good_files()[name]
    picture = read_image(data)
    back, notes = again(data)
    assert notes == ()
    assert picture.pixels.dtype == back.pixels.dtype
    assert (picture.space, picture.has_alpha, picture.pixels.shape) == (back.space, back.has_alpha, back.pixels.shape)
    assert picture.facts.bits == back.facts.bits or picture.facts.palette
    assert picture.facts.palette == back.facts.palette
    assert picture.facts.format == back.facts.format
    if picture.facts.lossless:
        np.testing.assert_array_equal(picture.pixels, back.pixels)
    else:
        assert np.abs(picture.pixels.astype(int) - back.pixels).mean() < 4


@pytest.mark.parametrize("name", sorted(hostile.good_files().keys() - BEYOND_PILLOW))
def test_decoded_pixels_agree_with_pillow(name: str) -> None:
    data = hostile.good_files()[name]
    picture = read_image(data)
    image = ImageOps.exif_transpose(pillow(data))
    mode = {("grey", 1): "L", ("grey", 2): "LA", ("rgb", 3): "RGB", ("rgb", 4): "RGBA", ("cmyk", 4): "CMYK"}
    expected = np.asarray(image.convert(mode[picture.space, picture.pixels.shape[2]]))
    difference = np.abs(picture.pixels.astype(int) - expected.reshape(picture.pixels.shape))
    # Decoders differ in how they round and in how they bring subsampled chroma back to full size.
    assert difference.max() <= {"jpeg": 4, "webp": 4, "avif": 16}.get(picture.facts.format, 0)


@pytest.mark.parametrize("kind", ["png", "tiff"])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_sixteen_bits_are_kept_to_the_last(kind: str, channels: int) -> None:
    pixels = hostile.photo(40, 50, channels, "uint16")
    assert len(np.unique(pixels)) > 256
    picture = Picture(pixels, "grey" if channels < 3 else "rgb", channels in (2, 4), FileFacts(bits=16))
    data, notes = encode_image(picture, kind)
    back = read_image(data)
    assert notes == ()
    np.testing.assert_array_equal(back.pixels, pixels)
    if kind == "tiff":
        np.testing.assert_array_equal(tifffile.imread(io.BytesIO(data)).reshape(pixels.shape), pixels)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_float_tiff_is_kept_to_the_last_bit(channels: int) -> None:
    pixels = hostile.photo(20, 30, channels, "float32") * 3 - 1
    data, _ = encode_image(Picture(pixels, "grey" if channels == 1 else "rgb", channels == 4), "tiff")
    back = read_image(data)
    np.testing.assert_array_equal(back.pixels, pixels)
    assert back.facts.bits == 32


def test_planar_tiff_is_not_garbled() -> None:
    pixels = hostile.photo(dtype="uint16")
    data = hostile.encode_tiff(np.moveaxis(pixels, 2, 0).copy(), photometric="rgb", planarconfig="separate")
    np.testing.assert_array_equal(read_image(data).pixels, pixels)


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_min_is_white_is_no_negative(dtype: str) -> None:
    pixels = hostile.photo(channels=1, dtype=dtype)
    data = hostile.encode_tiff(np.iinfo(dtype).max - pixels[..., 0], photometric="miniswhite")
    np.testing.assert_array_equal(read_image(data).pixels, pixels)


def test_premultiplied_alpha_is_made_straight() -> None:
    colour, alpha = hostile.photo(), np.full((24, 32, 1), 128, np.uint8)
    stored = np.rint(colour * (alpha / 255)).astype(np.uint8)
    data = hostile.encode_tiff(np.concatenate([stored, alpha], axis=2), photometric="rgb", extrasamples=["assocalpha"])
    picture = read_image(data)
    np.testing.assert_array_equal(picture.alpha, alpha)
    assert np.abs(picture.colour.astype(int) - colour).max() <= 2


def _inks() -> Image.Image:
    """Paper, cyan, yellow and black, in large fields."""
    inks = np.zeros((32, 32, 4), np.uint8)
    inks[:16, 16:, 0] = inks[16:, :16, 2] = inks[16:, 16:, 3] = 255
    return Image.fromarray(inks, "CMYK")


@pytest.mark.filterwarnings("ignore:'mode' parameter:DeprecationWarning")
@pytest.mark.parametrize("marker", [True, False])
def test_cmyk_jpeg_is_no_negative(marker: bool) -> None:
    data = hostile.encode_pillow(_inks(), "JPEG", quality=95, subsampling=0)
    picture = read_image(data if marker else hostile.without_app14(data))
    assert picture.space == "cmyk"
    assert np.abs(picture.pixels.astype(int) - np.asarray(_inks())).max() < 12
    back, _ = again(data)
    assert np.abs(back.pixels.astype(int) - picture.pixels).max() < 12


@pytest.mark.filterwarnings("ignore:'mode' parameter:DeprecationWarning")
def test_ycck_jpeg_is_no_negative() -> None:
    """A JPEG whose marker says YCCK, made by hand: the inverted inks, of which libjpeg takes the negative for YCC."""
    inks = np.asarray(_inks())
    ycc = np.asarray(Image.fromarray(inks[..., :3]).convert("YCbCr"))
    stored = 255 - np.concatenate([ycc, 255 - inks[..., 3:]], axis=2)  # Pillow inverts what it writes as CMYK
    data = bytearray(hostile.encode_pillow(Image.fromarray(stored, "CMYK"), "JPEG", quality=100, subsampling=0))
    data[data.index(b"Adobe") + 11] = 2
    picture = read_image(bytes(data))
    assert picture.space == "cmyk"
    assert np.abs(picture.pixels.astype(int) - inks).max() < 16


@pytest.mark.filterwarnings("ignore:'mode' parameter:DeprecationWarning")
def test_cmyk_becomes_rgb_where_the_format_has_no_inks() -> None:
    picture = read_image(hostile.encode_pillow(_inks(), "TIFF"))
    data, notes = encode_image(picture, "png")
    colours = read_image(data).pixels[::16, ::16]
    np.testing.assert_array_equal(colours[0, 0], [255, 255, 255])
    np.testing.assert_array_equal(colours[0, 1], [0, 255, 255])
    np.testing.assert_array_equal(colours[1, 0], [255, 255, 0])
    np.testing.assert_array_equal(colours[1, 1], [0, 0, 0])
    assert any("inks" in note for note in notes)


@pytest.mark.parametrize("bits", [1, 2, 4])
@pytest.mark.parametrize("kind", ["png", "tiff"])
def test_few_bits_stay_few(kind: str, bits: int) -> None:
    for width in (12, 13):
        levels = np.random.default_rng(0).integers(0, 2**bits, (9, width, 1)) * (255 // (2**bits - 1))
        data, _ = encode_image(Picture(levels.astype(np.uint8), "grey", facts=FileFacts(bits=bits)), kind)
        back = read_image(data)
        np.testing.assert_array_equal(back.pixels, levels)
        assert back.facts.bits == (8 if (kind, bits, width) == ("tiff", 4, 13) else bits)  # see `_tiff`


def test_one_bit_file_with_new_shades_becomes_eight() -> None:
    pixels = hostile.photo(channels=1)
    back = read_image(encode_image(Picture(pixels, "grey", facts=FileFacts(bits=1)), "png")[0])
    np.testing.assert_array_equal(back.pixels, pixels)


def test_palette_with_transparency_is_kept() -> None:
    image = Image.fromarray(hostile.photo()).quantize(12)
    data = hostile.encode_pillow(image, "PNG", transparency=bytes([0, 128, 255]))
    expected = np.asarray(pillow(data).convert("RGBA"))
    assert set(np.unique(expected[..., 3])) == {0, 128, 255}
    back, _ = again(data)
    np.testing.assert_array_equal(back.pixels, expected)
    assert back.facts.palette


def test_palette_picture_with_new_colours_becomes_rgb() -> None:
    pixels = hostile.photo(64, 64)
    back = read_image(encode_image(Picture(pixels, "rgb", facts=FileFacts(palette=True)), "png")[0])
    np.testing.assert_array_equal(back.pixels, pixels)


@pytest.mark.parametrize("kind", LOSSLESS)
def test_hidden_colour_is_kept(kind: str) -> None:
    pixels = hostile.photo(channels=4)
    pixels[:12, :, 3] = 0
    back = read_image(encode_image(Picture(pixels, "rgb", has_alpha=True), kind)[0])
    np.testing.assert_array_equal(back.pixels, pixels)


def test_animation_is_announced() -> None:
    first, second = (Image.fromarray(hostile.photo(seed=seed)) for seed in (0, 1))
    for kind in ("GIF", "WEBP", "PNG", "TIFF", "AVIF"):
        picture = read_image(hostile.encode_pillow(first, kind, save_all=True, append_images=[second]))
        assert picture.facts.frames == 2, kind
        assert any("only the first" in note for note in picture.facts.notes), kind
        assert picture.pixels.shape[:2] == (24, 32)


def _cornered(height: int = 32, width: int = 48) -> np.ndarray:
    """Grey with red, green, blue and white corners, in the order top left, top right, bottom left, bottom right."""
    pixels = np.full((height, width, 3), 128, np.uint8)
    pixels[:12, :12], pixels[:12, -12:] = (255, 0, 0), (0, 255, 0)
    pixels[-12:, :12], pixels[-12:, -12:] = (0, 0, 255), (255, 255, 255)
    return pixels


def _stored_as(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """Pixels as a camera stores them that says `orientation`: EXIF 2.3, 4.6.4."""
    undo = {
        2: lambda p: p[:, ::-1],
        3: lambda p: p[::-1, ::-1],
        4: lambda p: p[::-1],
        5: lambda p: p.transpose(1, 0, 2),
        6: np.rot90,
        7: lambda p: np.rot90(p, 2).transpose(1, 0, 2),
        8: lambda p: np.rot90(p, 3),
    }
    return np.ascontiguousarray(undo.get(orientation, lambda p: p)(pixels))


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("kind", ["jpeg", "png", "webp", "tiff"])
@pytest.mark.parametrize("orientation", [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 65535])
def test_orientation_is_applied_once(kind: str, orientation: int, order: str) -> None:
    stored = _stored_as(_cornered(), orientation)
    if kind == "tiff":
        data = hostile.encode_tiff(stored, photometric="rgb", byteorder=order, extratags=[(274, 3, 1, orientation)])
    else:
        block = hostile.exif_block(orientation, order=order)
        data = hostile.encode_pillow(stored, NAMES[kind], exif=b"Exif\x00\x00" + block, quality=95)
    picture = read_image(data)
    assert picture.pixels.shape == (32, 48, 3)
    assert np.abs(picture.pixels.astype(int) - _cornered()).mean() < 6
    encoded, _ = encode_image(picture, kind)
    assert pillow(encoded).getexif().get(274, 1) == 1
    assert np.abs(read_image(encoded).pixels.astype(int) - _cornered()).mean() < 6


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp", "tiff", "avif"])
def test_metadata_is_kept_but_for_what_turning_changes(kind: str) -> None:
    block, xmp = (
        hostile.exif_block(6, thumbnail=True),
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/">tiff:Orientation="6"</x:xmpmeta>',
    )
    data = hostile.encode_pillow(
        hostile.photo(20, 30),
        "JPEG",
        exif=b"Exif\x00\x00" + block,
        icc_profile=hostile.icc_profile(),
        xmp=xmp,
        dpi=(300, 300),
    )
    picture = read_image(data)
    assert picture.facts.exif == block
    back = read_image(encode_image(picture, kind)[0])
    assert back.facts.icc == hostile.icc_profile()
    assert back.facts.xmp == xmp.replace(b'"6"', b'"1"')
    exif = pillow(encode_image(picture, kind)[0]).getexif()
    assert exif[271] == "Nonesuch"
    assert exif.get(274, 1) == 1
    assert exif.get_ifd(0x8769)[0x9003] == "2020:02:02 02:02:02"
    assert exif.get_ifd(0x8769)[0x927C] == b"maker note bytes"
    assert (exif.get_ifd(0x8769)[0xA002], exif.get_ifd(0x8769)[0xA003]) == (20, 30)
    assert exif.get_ifd(0x8825)[1] == "N"
    assert not exif.get_ifd(0x0201)
    if kind in {"jpeg", "png", "tiff"}:
        assert back.facts.resolution == pytest.approx((300 / 25.4, 300 / 25.4), rel=1e-2)


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp", "tiff", "avif"])
def test_stripping_removes_all_but_the_profile(kind: str) -> None:
    data = hostile.encode_pillow(
        hostile.photo(),
        "JPEG",
        exif=b"Exif\x00\x00" + hostile.exif_block(1),
        icc_profile=hostile.icc_profile(),
        xmp=b"<x/>",
    )
    encoded, _ = encode_image(read_image(data), kind, strip_metadata=True)
    facts = read_image(encoded).facts
    assert (facts.xmp, facts.icc) == (None, hostile.icc_profile())
    assert b"Nonesuch" not in encoded


@pytest.mark.parametrize("kind", ["avif", "webp"])
def test_lossy_formats_keep_alpha_exactly(kind: str) -> None:
    pixels = hostile.photo(40, 50, 4)
    picture = Picture(pixels, "rgb", has_alpha=True, facts=FileFacts(lossless=False))
    back = read_image(encode_image(picture, kind)[0])
    np.testing.assert_array_equal(back.alpha, picture.alpha)
    assert np.abs(back.colour.astype(int) - picture.colour).mean() < 6


def test_grey_avif_stays_grey() -> None:
    pixels = hostile.photo(40, 50, 1)
    back = read_image(encode_image(Picture(pixels, "grey"), "avif")[0])
    assert back.pixels.shape == (40, 50, 1)
    assert np.abs(back.pixels.astype(int) - pixels).mean() < 4


def test_sixteen_bit_avif_keeps_what_it_holds() -> None:
    pixels = hostile.photo(40, 40, dtype="uint16")
    exif = hostile.exif_block(1)
    data, notes = encode_image(Picture(pixels, "rgb", facts=FileFacts(bits=16, exif=exif)), "avif")
    back = read_image(data)
    assert back.pixels.dtype == np.uint16
    assert back.facts.bits == 12
    assert np.abs(back.pixels.astype(int) - pixels).mean() < 65535 * 0.02
    assert any("12 bits" in note for note in notes)
    assert pillow(data).getexif()[271] == "Nonesuch"


def test_profile_is_converted_where_the_format_has_none() -> None:
    """A profile that swaps red and green: the same colours in sRGB have their channels swapped."""
    pixels = np.zeros((8, 8, 3), np.uint8)
    pixels[..., 0] = 255
    picture = Picture(pixels, "rgb", facts=FileFacts(icc=hostile.icc_profile("swapped")))
    data, notes = encode_image(picture, "bmp")
    assert np.abs(read_image(data).pixels.astype(int) - [0, 255, 0]).max() <= 2
    assert any("profile" in note for note in notes)


def test_what_a_format_cannot_hold_is_said() -> None:
    deep = Picture(hostile.photo(channels=4, dtype="uint16"), "rgb", has_alpha=True)
    _, notes = encode_image(deep, "jpeg")
    assert any("8 bits" in note for note in notes)
    assert any("transparency" in note for note in notes)
    bright = Picture(hostile.photo(dtype="float32") * 4, "rgb")
    data, notes = encode_image(bright, "png")
    assert any("floating point" in note for note in notes)
    assert read_image(data).pixels.max() == 65535
    _, notes = encode_image(Picture(hostile.photo(64, 64), "rgb"), "gif")
    assert any("256 colours" in note for note in notes)


def test_transparent_becomes_white_in_jpeg() -> None:
    pixels = hostile.photo(channels=4)
    pixels[..., 3] = 0
    data, _ = encode_image(Picture(pixels, "rgb", has_alpha=True), "jpeg")
    assert read_image(data).pixels.min() >= 254


def test_stored_picture_is_what_was_encoded(tmp_path) -> None:
    picture = Picture(hostile.photo(), "rgb")
    write_image(picture, tmp_path / "a.PNG")
    np.testing.assert_array_equal(read_image(tmp_path / "a.PNG").pixels, picture.pixels)
    np.testing.assert_array_equal(read_image(str(tmp_path / "a.PNG")).pixels, picture.pixels)
    assert pillow((tmp_path / "a.PNG").read_bytes()).format == "PNG"


def test_chroma_stays_as_it_was() -> None:
    for subsampling, expected in ((0, False), (2, True)):
        back, _ = again(hostile.encode_pillow(hostile.photo(), "JPEG", subsampling=subsampling))
        assert back.facts.subsampled is expected


@pytest.mark.parametrize("name", ["photo.jpg", "photo.png", "photo.tif"])
def test_pixels_of_a_large_photo_go_to_the_disk(make_photo, monkeypatch, name):
    """As they are, with the profile behind them, whatever lay in the file before."""
    path = make_photo(name)
    monkeypatch.setattr(scratch, "LARGE", 1)
    target = scratch.disk_file()
    scratch.write_all(target, b"of an attempt that failed")
    request = {"format": format_of_name(path), "max_pixels": 10**6, "allow_damaged": False, "page": 0}
    with path.open("rb") as file:
        header, pixels = decode(file.fileno(), {**request, "is_only_page": True, "target": target})
    assert pixels == target
    stored = os.pread(target, os.fstat(target).st_size, 0)
    os.close(target)
    assert stored == read_image(path).pixels.tobytes() + stored[len(stored) - sum(header["blobs"].values()) :]


def test_a_large_jpeg_has_the_same_pixels_in_a_few_more_bytes(make_photo, monkeypatch):
    picture = read_image(make_photo("photo.png"))
    small, _ = encode_image(picture, "jpeg")
    monkeypatch.setattr("unblur.images.encoding.LARGE", 1)
    quick, _ = encode_image(picture, "jpeg")
    assert len(quick) > len(small)
    assert np.array_equal(read_image(quick).pixels, read_image(small).pixels)
