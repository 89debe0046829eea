"""Files that are cheap to write and costly to decode are refused by counting, and usual ones are not."""

import io
import resource
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import hostile
import hostile_metadata
from unblur.errors import ReadError, TooLargeError
from unblur.images import page_reading
from unblur.images.complexity import count_frames_of_webp, count_scans
from unblur.images.decoder import decoder
from unblur.images.files import encode_image, read_image
from unblur.images.streams import another_image_follows


def processor_seconds() -> float:
    """What the worker has used so far."""
    fields = Path(f"/proc/{decoder.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def peak_of_worker() -> float:
    """Most memory of the worker so far, in MB."""
    status = Path(f"/proc/{decoder.pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1000


@pytest.mark.parametrize("name", ["many-scans.jpg", "many-frames.webp", "many-pages.tif"])
def test_costly_file_is_refused_at_once(name: str) -> None:
    read_image(hostile.seeds()["rgba.png"])
    before = processor_seconds()
    with pytest.raises(TooLargeError, match="allowed"):
        read_image(hostile.bombs()[name])
    assert processor_seconds() - before < 3


def test_hundred_scans_are_read() -> None:
    assert read_image(hostile.scan_bomb(64, 100)).height == 64
    with pytest.raises(TooLargeError, match="101 scans"):
        read_image(hostile.scan_bomb(64, 101))


def test_scans_are_allowed_by_the_size_of_the_photo() -> None:
    """81 million pixels, each of which every scan walks over: about a tenth of a second a scan."""
    with pytest.raises(TooLargeError, match="25 scans over 81 million pixels; 24 are allowed"):
        read_image(hostile.scan_bomb(9000, 25))
    before = processor_seconds()
    assert read_image(hostile.scan_bomb(9000, 24)).height == 9000
    assert processor_seconds() - before < 15


@pytest.mark.parametrize("size", [200_000, 2_000_000])
def test_search_for_markers_is_linear(tmp_path: Path, size: int) -> None:
    """Fill bytes that no marker ends once took the square of their number."""
    jpeg = hostile.seeds()["progressive.jpg"]
    path = tmp_path / "fill.jpg"
    path.write_bytes(jpeg[:2] + b"\xff" * size + b"\x00" + jpeg[2:])
    before = time.process_time()
    with path.open("rb") as file:
        assert count_scans(file.fileno()) == (jpeg.count(b"\xff\xda"), 24 * 32)
        assert not another_image_follows(file.fileno(), "jpeg")
    assert time.process_time() - before < 1


@pytest.mark.parametrize("thumbnail", [False, True])
@pytest.mark.parametrize("progressive", [False, True])
def test_scans_are_those_of_the_photo_alone(tmp_path: Path, thumbnail: bool, progressive: bool) -> None:
    """Neither those of a preview in its metadata nor those of a video behind it."""
    exif = {"exif": b"Exif\x00\x00" + hostile.exif_block(thumbnail=True)} if thumbnail else {}
    data = hostile.encode_pillow(hostile.photo(300, 300), "JPEG", progressive=progressive, **exif)
    path = tmp_path / "photo.jpg"
    path.write_bytes(data + b"\xff\xda" * 1000)
    with path.open("rb") as file:
        assert count_scans(file.fileno()) == (data.count(b"\xff\xda") - thumbnail, 300 * 300)
    assert read_image(path).height == 300


def test_frames_of_a_webp(tmp_path: Path) -> None:
    for data, frames in ((hostile.many_frames(7), 7), (hostile.seeds()["lossy.webp"], 0)):
        path = tmp_path / "photo.webp"
        path.write_bytes(data)
        with path.open("rb") as file:
            assert count_frames_of_webp(file.fileno()) == frames


def test_directories_are_read_once_for_all_pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand pages once took a walk over a thousand directories each."""
    walks: list[int] = []
    original = page_reading.read_directories
    monkeypatch.setattr(page_reading, "read_directories", lambda file: walks.append(file) or original(file))
    path = tmp_path / "pages.tif"
    for count in (30, 40):
        path.write_bytes(hostile.many_pages(count))
        with path.open("rb") as file:
            assert [len(page_reading.find_pages(file.fileno())) for _ in range(3)] == [count] * 3
    assert len(walks) == 2


@pytest.mark.parametrize("kind", hostile.overlapping_exif())
def test_overlapping_metadata_is_dropped_and_said(kind: str) -> None:
    """A block of four megabytes that reads as a hundred gigabytes never reaches a parser."""
    block = hostile.overlapping_exif()[kind]
    png = hostile.with_chunk(hostile.encode_pillow(hostile.photo(8, 8), "PNG"), b"eXIf", block)
    picture, before = read_image(png), resource.getrusage(resource.RUSAGE_SELF)
    for name in ("tiff", "png", "avif", "webp"):
        _, notes = encode_image(picture, name)
        assert any("EXIF block was damaged" in note for note in notes)
    after = resource.getrusage(resource.RUSAGE_SELF)
    assert after.ru_maxrss - before.ru_maxrss < 300_000
    assert after.ru_utime - before.ru_utime < 5


def test_overlapping_tags_of_a_tiff_are_not_kept() -> None:
    size = len(hostile.many_pages(1, (0x8769, 0)))
    directory = hostile.overlapping_exif()["flat"][8:]
    read_image(hostile.many_pages(1))
    before = peak_of_worker()
    picture = read_image(hostile.many_pages(1, (0x8769, size)) + directory)
    assert (picture.facts.exif, picture.height) == (None, 1)
    assert peak_of_worker() - before < 100


def test_directories_that_overlap_are_read_once() -> None:
    """A file of 160 kB with 9,000 directories of 4,000 entries, each of which begins within the one before."""
    data = hostile_metadata.interleaved_directories(9000, 4000)
    read_image(hostile.many_pages(1))
    before = processor_seconds()
    with pytest.raises(ReadError):
        read_image(data)
    assert processor_seconds() - before < 1


def test_large_blocks_of_metadata_are_dropped_and_said() -> None:
    file = io.BytesIO()
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(file, "WEBP", xmp=b"<x/>" + bytes(17 << 20))
    picture = read_image(file.getvalue())
    assert picture.facts.xmp is None
    assert any("XMP block of 18 MB is not kept" in note for note in picture.facts.notes)
