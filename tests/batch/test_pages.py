"""Files of several pages or frames, and streams of several images, through `unblur restore`."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

import hostile
from unblur.batch.pages import PageNotes
from unblur.images.limits import Limits
from unblur.images.streams import split_images

FREE = ("--method", "input")
PAGES = np.stack([hostile.photo(channels=1, dtype="uint16", seed=seed)[..., 0] for seed in range(5)])
DELTA = np.ones((1, 1))


@pytest.fixture
def stack(tmp_path) -> Path:
    path = tmp_path / "stack.tif"
    path.write_bytes(hostile.encode_tiff(PAGES, photometric="minisblack", imagej=True))
    return path


@pytest.fixture
def animation(tmp_path) -> Path:
    frames = [Image.fromarray(hostile.photo(seed=seed)) for seed in range(3)]
    path = tmp_path / "frames.png"
    frames[0].save(path, "PNG", save_all=True, append_images=frames[1:], duration=[10, 20, 30])
    return path


def images_of(stream: bytes) -> list[np.ndarray]:
    return [np.asarray(Image.open(file)) for file in split_images(io.BytesIO(stream), Limits())]


@pytest.mark.parametrize("method", [FREE, ("--method", "map", "--kernel", "delta.npy")])
def test_every_page_of_a_stack_is_restored_and_written(run, stack, tmp_path, monkeypatch, method):
    monkeypatch.chdir(tmp_path)
    np.save("delta.npy", DELTA)
    ran = run("restore", stack, "-o", "out.tif", "--report", "report.jsonl", *method)
    assert (ran.code, ran.errors) == (0, [])
    with tifffile.TiffFile("out.tif") as file:
        written = np.stack([page.asarray() for page in file.pages])
        assert file.imagej_metadata["images"] == 5
    np.testing.assert_allclose(written.astype(float), PAGES, atol=3000)  # even a kernel of one pixel smooths a little
    assert json.loads(Path("report.jsonl").read_text())["facts"]["pages"] == 5


def test_first_page_alone_says_so_and_claims_no_more(run, stack, tmp_path):
    ran = run("restore", stack, "-o", tmp_path / "out.tif", "--frames", "first", *FREE)
    assert "5 frames or pages; only the first was used" in ran.err
    with tifffile.TiffFile(tmp_path / "out.tif") as file:
        assert len(file.pages) == 1
        assert "images" not in (file.imagej_metadata or {})


def test_stack_through_pipes(run, stack):
    ran = run("restore", "-", *FREE, stdin=stack.read_bytes())
    assert ran.code == 0
    np.testing.assert_array_equal(tifffile.imread(io.BytesIO(ran.out)), PAGES)


def test_format_without_pages_is_refused_before_the_work(run, stack, tmp_path):
    ran = run("restore", stack, "-o", tmp_path / "out.png", "--method", "slow-input")
    assert ran.code == 1
    assert "5 pages or frames" in ran.errors[0]
    assert not (tmp_path / "out.png").exists()


def test_frames_of_an_animation(run, animation, tmp_path):
    ran = run("restore", animation, "-o", tmp_path / "first.png", *FREE)
    assert "only the first was used" in ran.err
    assert "--frames all takes all" in ran.err
    with Image.open(tmp_path / "first.png") as image:
        assert getattr(image, "n_frames", 1) == 1
    ran = run("restore", animation, "-o", tmp_path / "all.png", "--frames", "all", *FREE)
    assert (ran.code, "warning" in ran.err) == (0, False)
    with Image.open(tmp_path / "all.png") as image:
        assert image.n_frames == 3


def test_what_is_saved_beside_is_of_the_first_page(run, stack, tmp_path):
    np.save(tmp_path / "delta.npy", DELTA)
    options = ("--kernel", tmp_path / "delta.npy", "--save-kernel", tmp_path / "k.png", "--method", "map")
    ran = run("restore", stack, "-o", tmp_path / "out.tif", *options)
    assert "of the 5 pages, only the first has its kernel saved" in ran.err
    assert (tmp_path / "k.npy").exists()


def test_damaged_page_is_named(run, stack, tmp_path):
    data = stack.read_bytes()
    with tifffile.TiffFile(stack) as file:
        entry = file.pages[3].tags["StripOffsets"]
        damaged = bytearray(data)
        byte_order = "little" if file.byteorder == "<" else "big"
        damaged[entry.valueoffset : entry.valueoffset + 4] = (1 << 30).to_bytes(4, byte_order)
    stack.write_bytes(damaged)
    ran = run("restore", stack, "-o", tmp_path / "out.tif", *FREE)
    assert ran.code == 1
    assert ": page 4 is damaged" in ran.errors[0]
    assert not (tmp_path / "out.tif").exists()


def test_every_image_of_a_stream(run):
    frames = [hostile.photo(seed=seed) for seed in range(4)]
    stream = b"".join(hostile.encode_pillow(frame, "PNG") for frame in frames)
    ran = run("restore", "-", *FREE, stdin=stream)
    assert (ran.code, ran.errors) == (0, [])
    written = images_of(ran.out)
    assert len(written) == 4
    for image, frame in zip(written, frames, strict=True):
        np.testing.assert_array_equal(image, frame)


def test_stream_of_damaged_images_gives_those_before(run):
    first = hostile.encode_pillow(hostile.photo(), "PNG")
    ran = run("restore", "-", *FREE, stdin=first + first[:200])
    assert ran.code == 1
    assert ": page 2 is damaged" in ran.errors[0]
    assert len(images_of(ran.out)) == 1


@pytest.mark.parametrize("to_file", [True, False])
def test_first_image_of_a_stream_says_that_more_follow(run, tmp_path, to_file):
    stream = hostile.encode_pillow(hostile.photo(), "PNG") * 2
    place = ("-o", tmp_path / "out.png") if to_file else ("--frames", "first")
    ran = run("restore", "-", *place, *FREE, stdin=stream)
    assert ran.code == 0
    assert "further images follow in the stream" in ran.err
    assert to_file or len(images_of(ran.out)) == 1


def test_stdin_among_files_with_several_jobs(program, make_photo, tmp_path):
    photos = [make_photo(name) for name in ("a.png", "b.png", "c.png")]
    with photos[0].open("rb") as stdin, (tmp_path / "piped.png").open("wb") as stdout:
        ran = program("restore", photos[1], "-", photos[2], "-j", "2", *FREE, stdin=stdin, stdout=stdout)
    assert ran.returncode == 0
    assert b"3 done, 0 skipped, 0 failed" in ran.stderr
    assert (tmp_path / "piped.png").read_bytes()[:4] == b"\x89PNG"


def test_sentences_name_their_pages():
    notes = PageNotes()
    for page in range(1, 7):
        notes.add(page, ["all", *(["even"] if page % 2 == 0 else []), *(["late"] if page > 1 else [])])
    assert set(notes.sentences(6)) == {"all", "pages 2, 3, 4 and 2 more: late", "pages 2, 4, 6: even"}
