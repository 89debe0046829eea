"""Files of several pages or frames: all of them in, all of them out, and never one in silence."""

import io
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

import hostile
from unblur.errors import ReadError, TooLargeError, WriteError
from unblur.images.decoder import decoder
from unblur.images.files import check_holds_pages, encode_image, encode_pages, read_image, read_pages
from unblur.images.limits import Limits
from unblur.images.picture import FileFacts, Picture

DURATIONS = [100, 200, 300]


def stack(dtype: str = "uint16", pages: int = 5, **options: object) -> tuple[np.ndarray, bytes]:
    pixels = np.stack([hostile.photo(channels=1, dtype=dtype, seed=seed)[..., 0] for seed in range(pages)])
    return pixels, hostile.encode_tiff(pixels, photometric="minisblack", **options)


def animation(kind: str, **options: object) -> bytes:
    frames = [Image.fromarray(hostile.photo(seed=seed)) for seed in range(len(DURATIONS))]
    file = io.BytesIO()
    more = {"lossless": True} if kind == "WEBP" else {}
    frames[0].save(file, kind, save_all=True, append_images=frames[1:], duration=DURATIONS, loop=2, **more, **options)
    return file.getvalue()


def again(pictures: Sequence[Picture], kind: str) -> list[Picture]:
    """What is read of these pictures after they were written."""
    return list(read_pages(bytes(encode_pages(pictures, kind)[0]), frames="all"))


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("options", [{}, {"bigtiff": True}, {"compression": "zlib"}, {"byteorder": ">"}])
def test_every_page_of_a_tiff_comes_and_goes(dtype: str, options: dict[str, object]) -> None:
    pixels, data = stack(dtype, **options)
    pages = list(read_pages(data))
    assert [page.facts.frames for page in pages] == [5] * 5
    for read in (pages, again(pages, "tiff")):
        assert len(read) == 5
        for page, expected in zip(read, pixels, strict=True):
            np.testing.assert_array_equal(page.pixels[..., 0], expected)


def test_written_pages_are_read_by_others() -> None:
    pixels, data = stack(imagej=True)
    written = bytes(encode_pages(read_pages(data), "tiff")[0])
    with tifffile.TiffFile(io.BytesIO(written)) as file:
        np.testing.assert_array_equal(np.stack([page.asarray() for page in file.pages]), pixels)
        assert file.imagej_metadata["images"] == 5
    with Image.open(io.BytesIO(written)) as image:
        assert image.n_frames == 5


def test_pages_of_different_sizes_modes_and_metadata() -> None:
    exif = hostile.exif_block(1)
    profile = hostile.icc_profile()
    few_colours = np.tile(np.arange(27, dtype=np.uint8).reshape(3, 3, 3) * 9, (9, 9, 1))
    pictures = [
        Picture(hostile.photo(300, 200, dtype="uint16"), "rgb", facts=FileFacts(bits=16, exif=exif, icc=profile)),
        Picture(hostile.photo(31, 17, 1), "grey", facts=FileFacts(xmp=b"<x:xmpmeta/>")),
        Picture(hostile.photo(40, 50, 4), "cmyk", facts=FileFacts(resolution=(10.0, 10.0))),
        Picture(hostile.photo(64, 64, 4), "rgb", True, FileFacts(exif=exif)),
        Picture(few_colours, "rgb", facts=FileFacts(palette=True)),
    ]
    read = again(pictures, "tiff")
    assert len(read) == len(pictures)
    for page, picture in zip(read, pictures, strict=True):
        np.testing.assert_array_equal(page.pixels, picture.pixels)
        assert page.space == picture.space
        assert page.facts.icc == picture.facts.icc
        assert page.facts.xmp == picture.facts.xmp
        assert page.facts.resolution == picture.facts.resolution
        if picture.facts.exif:
            found = Image.Exif()
            found.load(page.facts.exif)
            assert found[271] == "Nonesuch"
            assert found.get_ifd(0x8769)[0x9003] == "2020:02:02 02:02:02"
            assert found.get_ifd(0x8825)[1] == "N"


def test_metadata_of_one_page_alone_are_true() -> None:
    _, data = stack(imagej=True)
    (page,) = read_pages(data, frames="first")
    assert "5 frames or pages; only the first" in " ".join(page.facts.notes)
    with tifffile.TiffFile(io.BytesIO(encode_image(page, "tiff")[0])) as file:
        assert len(file.pages) == 1
        assert "images" not in (file.imagej_metadata or {})
        assert "ImageJ" in file.pages[0].description
    _, shaped = stack(metadata={"axes": "ZYX"})
    assert json.loads(tifffile.TiffFile(io.BytesIO(shaped)).pages[0].description)["shape"][0] == 5
    with tifffile.TiffFile(io.BytesIO(encode_image(read_image(shaped), "tiff")[0])) as file:
        assert "shape" not in file.pages[0].description


@pytest.mark.parametrize("shape", [(30, 40), (30, 40, 3), (30, 40, 4)])
def test_a_photo_by_tifffile_is_of_one_page(shape):
    """Its description counts rows, columns and channels: nothing is missing."""
    photometric = "rgb" if len(shape) == 3 else "minisblack"
    picture = read_image(hostile.encode_tiff(np.full(shape, 9000, np.uint16), photometric=photometric, metadata={}))
    assert picture.facts.notes == ()


def test_stack_of_one_directory_says_that_pages_are_missing() -> None:
    """ImageJ writes only the directory of the first page of stacks of more than 4 GB, tifffile on request of all."""
    _, data = stack(imagej=True, truncate=True)
    (page,) = read_pages(data)
    assert any("describes more pages" in note for note in page.facts.notes)
    assert b"images=5" not in page.facts.exif


def test_reduced_copies_are_no_pages() -> None:
    file = io.BytesIO()
    with tifffile.TiffWriter(file) as writer:
        writer.write(hostile.photo(), photometric="rgb")
        writer.write(hostile.photo(8, 8), photometric="rgb", subfiletype=1)
        writer.write(hostile.photo(seed=1), photometric="rgb")
    pages = list(read_pages(file.getvalue()))
    assert [page.pixels.shape for page in pages] == [(24, 32, 3)] * 2
    np.testing.assert_array_equal(pages[1].pixels, hostile.photo(seed=1))


def test_orientation_of_each_page() -> None:
    file = io.BytesIO()
    images = [Image.fromarray(hostile.photo(seed=seed)) for seed in range(2)]
    images[0].save(file, "TIFF", save_all=True, append_images=images[1:], tiffinfo={274: 6})
    data = file.getvalue()
    for page, seed in zip(read_pages(data), range(2), strict=True):
        np.testing.assert_array_equal(page.pixels, np.rot90(hostile.photo(seed=seed), -1))
    nonsense = data.replace(b"\x12\x01\x03\x00\x01\x00\x00\x00\x06", b"\x12\x01\x03\x00\x01\x00\x00\x00\x63")
    assert nonsense != data
    for page, seed in zip(read_pages(nonsense), range(2), strict=True):
        np.testing.assert_array_equal(page.pixels, hostile.photo(seed=seed))


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "AVIF"])
def test_first_frame_of_an_animation_by_default_all_on_request(kind: str) -> None:
    data = animation(kind)
    for frames in ("auto", "first"):
        (first,) = read_pages(data, frames=frames)
        assert any("3 frames or pages; only the first" in note for note in first.facts.notes)
    frames = list(read_pages(data, frames="all"))
    assert not any(frame.facts.notes for frame in frames)
    assert [frame.facts.duration for frame in frames] == DURATIONS
    for seed, frame in enumerate(frames):
        # 256 colours of GIF and AVIF's coding cost something; another frame is far away
        assert np.abs(frame.pixels[..., :3].astype(float) - hostile.photo(seed=seed)).mean() < 6
    written = again(frames, kind.lower())
    assert [frame.facts.duration for frame in written] == DURATIONS
    assert written[0].facts.loop == frames[0].facts.loop
    tolerance = 8 if kind == "AVIF" else 0
    for frame, before in zip(written, frames, strict=True):
        assert np.abs(frame.pixels.astype(int) - before.pixels).max() <= tolerance


def test_animated_png_with_a_picture_for_viewers_without_animation() -> None:
    frames = list(read_pages(animation("PNG", default_image=True), frames="all"))
    assert len(frames) == 2
    np.testing.assert_array_equal(frames[0].pixels, hostile.photo(seed=1))


def test_frames_of_16_bits_are_refused_and_not_made_8() -> None:
    data = bytearray(animation("PNG"))
    deep = hostile.encode_pillow(hostile.photo(channels=1, dtype="uint16"), "PNG")
    at = data.index(b"acTL") - 4
    together = deep[:33] + bytes(data[at : at + 20]) + deep[33:]
    (first,) = read_pages(together)
    assert first.pixels.dtype == np.uint16
    with pytest.raises(ReadError, match="only the first"):
        list(read_pages(together, frames="all"))


def test_what_holds_no_pages_is_refused_before_the_work() -> None:
    page = next(read_pages(stack()[1]))
    frame = next(read_pages(animation("GIF"), frames="all"))
    for kind, picture in (("jpeg", page), ("png", page), ("bmp", frame), ("gif", page)):
        with pytest.raises(WriteError, match="the first alone"):
            check_holds_pages(kind, picture)
    for kind, picture in (("tiff", page), ("tiff", frame), ("png", frame), ("webp", frame)):
        check_holds_pages(kind, picture)


def test_pages_together_have_a_limit() -> None:
    _, data = stack(pages=21)
    with pytest.raises(TooLargeError, match="21 pages"):
        list(read_pages(data, limits=Limits(max_pixels=24 * 32 * 2)))
    assert len(list(read_pages(data, limits=Limits(max_pixels=24 * 32 * 3)))) == 21


def test_pages_are_never_held_together() -> None:
    """60 pages of 4 MB each, which coding makes small: neither reading nor writing needs them all at once."""

    def pages():
        for seed in range(60):
            yield Picture(np.full((1000, 2000, 1), seed, np.uint16), "grey", facts=FileFacts(format="tiff", bits=16))

    before = resident_peak()
    data, _ = encode_pages(pages(), "tiff")
    count = sum(1 for _ in read_pages(bytes(data)))
    assert count == 60
    assert resident_peak() - before < 100


def resident_peak() -> float:
    """Peak memory of this process and of the decoder in MB."""
    status = [Path(f"/proc/{process}/status").read_text() for process in ("self", decoder.pid) if process]
    return sum(int(text.split("VmHWM:")[1].split()[0]) for text in status) / 1000


@pytest.mark.parametrize("name", ["loop", "cut", "mutated"])
def test_damaged_pages_end_in_our_error_or_in_pages(name: str) -> None:
    _, data = stack()
    if name == "cut":
        files = list(hostile.cuts(data))
    elif name == "mutated":
        files = [mutated for _, mutated in hostile.mutations(40, 0, {"stack.tif": data})]
    else:
        with tifffile.TiffFile(io.BytesIO(data)) as file:
            link = file.pages[-1].offset + 2 + 12 * len(file.pages[-1].tags)
        files = [data[:link] + data[4:8] + data[link + 4 :]]
        assert len(list(read_pages(files[0]))) == 5
    for damaged in files:
        try:
            count = len(list(read_pages(damaged, limits=Limits(max_pixels=1_000_000, cpu_seconds=5))))
        except (ReadError, TooLargeError):
            continue
        assert 1 <= count <= 5
