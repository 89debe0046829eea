"""Standard streams that are short, full, closed or gone, and pipes where files are expected."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

FREE = ("--method", "input")


@pytest.fixture
def large(tmp_path) -> Path:
    """A photo of about 600 kB: more than a pipe holds."""
    from PIL import Image

    noise = np.random.default_rng(0).integers(0, 256, (450, 450, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "large.png")
    return tmp_path / "large.png"


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_every_byte_or_an_error(program, large, monkeypatch, unbuffered):
    """A reader that goes, a disk that fills up in the middle: nobody hears of success."""
    monkeypatch.setenv("PYTHONUNBUFFERED", unbuffered)
    whole = program("restore", large, "-o", "-", *FREE, stdout=subprocess.PIPE)
    assert (whole.returncode, len(whole.stdout) > 500_000) == (0, True)
    command = [sys.executable, "-m", "unblur", "restore", str(large), "-o", "-", *FREE]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        running.stdout.read(100)
        running.stdout.close()
        errors = running.stderr.read().decode()
    assert running.returncode == 2
    assert "cannot write to standard output: the program that reads it is gone" in errors
    assert "0 done, 0 skipped, 1 failed" in errors


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_short_write_is_no_success(program, large, tmp_path, monkeypatch, unbuffered):
    """The kernel takes a part of the data, as a disk does that has less room than is needed."""
    import resource

    room = 450 * 450 * 3 + 200  # for the decoded pixels; noise is larger as a PNG
    monkeypatch.setenv("PYTHONUNBUFFERED", unbuffered)
    with (tmp_path / "out.png").open("wb") as out:
        ran = program(
            *("restore", large, "-o", "-", *FREE),
            stdout=out,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (room, room)),
        )
    assert (tmp_path / "out.png").stat().st_size == room
    assert ran.returncode == 2
    assert b"cannot write to standard output: file too large" in ran.stderr


LISTS = [
    ["methods"],
    ["--help"],
    ["--version"],
    # printed by the same lines as the list of methods
    pytest.param(["weights", "list"], marks=pytest.mark.slow),
    pytest.param(["data", "list"], marks=pytest.mark.slow),
]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
@pytest.mark.parametrize("words", LISTS)
def test_lists_on_a_full_disk(program, words):
    with Path("/dev/full").open("wb") as full:
        ran = program(*words, stdout=full)
    assert ran.returncode == 2
    assert ran.stderr.decode() == "unblur: error: cannot write to standard output: the disk is full\n"


def closed(*numbers: int):
    return lambda: [os.close(number) for number in numbers]


def test_closed_streams(program, make_photo, tmp_path):
    photo = make_photo()
    no_input = program("restore", "-", "-o", tmp_path / "x.png", *FREE, preexec_fn=closed(0))
    assert (no_input.returncode, b"standard input is closed" in no_input.stderr) == (2, True)
    no_list = program("restore", "--files-from", "-", *FREE, preexec_fn=closed(0))
    assert (no_list.returncode, b"standard input is closed" in no_list.stderr) == (2, True)
    no_output = program("restore", photo, "-o", "-", *FREE, preexec_fn=closed(1))
    assert (no_output.returncode, b"standard output is closed" in no_output.stderr) == (2, True)
    no_table = program("methods", preexec_fn=closed(1))
    assert (no_table.returncode, no_table.stderr.count(b"standard output: it is closed\n")) == (2, 1)


def test_nothing_is_printed_into_a_photo(program, make_photo, tmp_path):
    """With all of them closed, the files that are opened next must not take their numbers."""
    photo = make_photo()
    ran = program("restore", photo, *FREE, preexec_fn=closed(0, 1, 2))
    assert ran.returncode == 0
    assert (tmp_path / "photo.unblur.png").read_bytes()[:4] == b"\x89PNG"
    assert program("restore", tmp_path / "missing.png", *FREE, preexec_fn=closed(0, 1, 2)).returncode == 1


@pytest.mark.parametrize("gone", ["reader", "disk"])
def test_a_batch_goes_on_without_standard_error(program, make_photo, tmp_path, gone):
    for number in range(3):
        make_photo(f"in/{number}.png")
    (tmp_path / "in/bad.png").write_text("no photo")
    reader, writer = os.pipe()
    if gone == "disk":
        os.close(writer)
        writer = os.open("/dev/full", os.O_WRONLY)
    os.close(reader)
    ran = program("restore", tmp_path / "in", "-o", tmp_path / "out", *FREE, stderr=writer)
    os.close(writer)
    assert ran.returncode == 1
    assert len(list((tmp_path / "out").iterdir())) == 3


def test_pipes_are_refused_where_they_would_be_waited_for(run, make_photo, tmp_path):
    photo = make_photo()
    os.mkfifo(tmp_path / "pipe")
    for words in (["--files-from", tmp_path / "pipe"], [photo, "--report", tmp_path / "pipe"]):
        ran = run("restore", *words, *FREE)
        assert (ran.code, len(ran.errors)) == (2, 1)
        assert "give - to" in ran.errors[0]
    assert run("restore", "--files-from", tmp_path, *FREE).code == 2
    assert run("restore", "--files-from", "/dev/zero", *FREE).code == 2
    assert not (tmp_path / "photo.unblur.png").exists()


@pytest.mark.parametrize("content", [b"", b"\n\n"])
def test_a_list_without_names(run, tmp_path, content):
    (tmp_path / "list").write_bytes(content)
    of_file = run("restore", "--files-from", tmp_path / "list", *FREE)
    of_pipe = run("restore", "--files-from", "-", *FREE, stdin=content)
    assert (of_file.code, of_pipe.code) == (2, 2)
    assert of_file.errors == [f"unblur: error: the list {tmp_path / 'list'} names no photo"]
    assert of_pipe.errors == ["unblur: error: standard input names no photo"]


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash")
def test_a_list_from_the_shell(make_photo, tmp_path):
    photo = make_photo()
    line = f"{sys.executable} -m unblur restore --method input --files-from <(echo {photo})"
    subprocess.run(["bash", "-c", line], check=True, stderr=subprocess.DEVNULL)
    assert (tmp_path / "photo.unblur.png").exists()
