"""Several images one after the other in one stream or file."""

import io
import os
import threading
import time
from collections.abc import Iterable

import pytest

import hostile
from unblur.errors import ReadError, TooLargeError
from unblur.images.files import read_image
from unblur.images.limits import Limits
from unblur.images.streams import split_images

FILES = {
    **hostile.good_files(),
    "with-thumbnail.jpg": hostile.seeds()["baseline.jpg"],
    "restarts.jpg": hostile.encode_pillow(hostile.photo(64, 64), "JPEG", restart_marker_blocks=1),
}
WITHOUT_END = {name for name in FILES if name.endswith(".tif")}
"""Nothing in a TIFF file says where it ends."""


def parts_of(data: bytes, **limits: int) -> list[bytes]:
    return [part.read() for part in split_images(io.BytesIO(data), Limits(**limits))]


@pytest.mark.parametrize("name", sorted(FILES.keys() - WITHOUT_END - {"trailing-bytes.jpg"}))
def test_stream_is_split_at_the_ends_of_its_images(name: str) -> None:
    data = FILES[name]
    assert parts_of(data) == [data]
    assert parts_of(data * 3) == [data] * 3


@pytest.mark.parametrize("name", FILES.keys())
def test_further_image_in_a_file_is_mentioned(name: str) -> None:
    data = FILES[name]
    assert not any("further image" in note for note in read_image(data).facts.notes)
    told = any("further image follows" in note for note in read_image(data + data).facts.notes)
    assert told == (name != "trailing-bytes.jpg")


def test_what_belongs_to_an_image_stays_with_it() -> None:
    jpeg = FILES["one-row.jpg"]
    for rest in (b"\x00\x00\x00\x18ftypmp42" + bytes(100), b"trailer", b"\xff"):
        assert parts_of(jpeg + rest) == [jpeg + rest]
    # Phones put a gain map behind the photo and say so in it.
    announced = jpeg[:2] + b"\xff\xe2\x00\x08MPF\x00\x00\x00" + jpeg[2:]
    assert parts_of(announced + jpeg) == [announced + jpeg]
    png = FILES["rgba.png"]
    assert parts_of(png + jpeg) == [png + jpeg]  # another format is no further frame


def test_images_of_a_stream_may_differ() -> None:
    first, second = FILES["rgba.png"], FILES["one-pixel.png"]
    assert parts_of(first + second + first) == [first, second, first]


def test_cut_stream_gives_its_whole_images_first() -> None:
    data = FILES["rgba.png"]
    for cut in (1, 8, 20, len(data) - 1):
        assert parts_of(data + data[:cut])[0] == (data if cut >= 8 else data + data[:cut])


def test_stream_of_something_else_is_refused_by_its_first_bytes() -> None:
    class Zeros(io.RawIOBase):
        asked = 0

        def readable(self) -> bool:
            return True

        def readinto(self, buffer) -> int:
            self.asked += len(buffer)
            buffer[:] = bytes(len(buffer))
            return len(buffer)

    zeros = Zeros()
    with pytest.raises(ReadError, match="not an image"):
        list(split_images(io.BufferedReader(zeros), Limits()))
    assert zeros.asked < 4 << 20


@pytest.mark.parametrize("name", ["rgba.png", "one-row.jpg", "plain.bmp", "big.tif", "photo.avif"])
def test_each_image_has_a_limit(name: str) -> None:
    data = FILES[name]
    with pytest.raises(TooLargeError):
        parts_of(data + bytes(100_000), max_bytes=len(data) + 10)
    if name not in WITHOUT_END:
        assert len(parts_of(data * 4, max_bytes=len(data))) == 4


def test_first_image_comes_before_the_second_is_written() -> None:
    """A camera that writes one photo a minute into a pipe."""
    data = FILES["rgba.png"]
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as stream, os.fdopen(writing, "wb", buffering=0) as writer:
        images = split_images(stream, Limits())
        writer.write(data + data[:8])
        assert next(images).read() == data
        threading.Timer(0.2, lambda: (writer.write(data[8:]), writer.close())).start()
        assert [image.read() for image in images] == [data]


def test_image_of_too_many_parts_is_not_taken_apart() -> None:
    """Each of them costs the same, however short it is: where the image ends is not looked for any longer."""
    jpeg = FILES["one-row.jpg"]
    data = jpeg[:2] + b"\xff\xfe\x00\x02" * 300_000 + jpeg[2:]
    before = time.process_time()
    assert parts_of(data + data) == [data + data]
    assert time.process_time() - before < 5


FUZZED = ("rgba.png", "one-row.jpg", "one.gif", "lossy.webp", "photo.avif", "plain.bmp")


@pytest.mark.parametrize("part", range(2))
def test_damaged_streams_end(part: int) -> None:
    _split_mutations(150, part, FUZZED)


@pytest.mark.fuzz
@pytest.mark.timeout(24 * 3600)
@pytest.mark.parametrize("name", FUZZED)
def test_thousands_of_mutated_streams(name: str) -> None:
    _split_mutations(hostile.FUZZ_COUNT, 0, [name])


def _split_mutations(count: int, seed: int, names: Iterable[str]) -> None:
    """Whatever is taken apart is all there, or it is refused."""
    for name, data in hostile.mutations(count, seed, {name: FILES[name] * 2 for name in names}):
        try:
            parts = parts_of(data)
        except ReadError:
            continue
        assert b"".join(parts) == data, name
