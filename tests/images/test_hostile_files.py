"""Malformed and hostile files end in one clean sentence, and nothing but the worker suffers."""

import itertools
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

import hostile
from made_raw import dng, scene
from unblur.errors import ImageError, ReadError, TooLargeError, UnblurError
from unblur.images.decoder import decoder
from unblur.images.files import encode_image, read_image, read_pages
from unblur.images.limits import Limits
from unblur.images.picture import FileFacts, Picture
from unblur.images.unsupported import can_read_heif, can_read_raw
from unblur.images.working import from_working, to_working

FUZZED = hostile.seeds() | hostile.moving() | {"photo.avif": hostile.good_files()["photo.avif"]}
if can_read_heif():
    FUZZED["photo.heic"] = encode_image(Picture(hostile.photo(), "rgb"), "heif")[0]
if can_read_raw():
    FUZZED["photo.dng"] = dng(scene(48, 64))


def read_and_write(data: bytes, **options: object) -> None:
    for picture in read_pages(data, frames="all", **options):
        encode_image(picture, picture.facts.written_as)


@pytest.mark.parametrize("name", hostile.bad_files())
def test_bad_file_is_refused_in_one_sentence(name: str) -> None:
    with pytest.raises(ReadError) as caught:
        read_image(hostile.bad_files()[name])
    sentence = str(caught.value)
    assert 5 < len(sentence) < 300
    assert sentence.isprintable()


@pytest.mark.parametrize("name", hostile.bombs())
def test_bomb_is_refused_from_its_header(name: str) -> None:
    read_image(hostile.seeds()["rgba.png"])
    before = _peak_of_worker()
    if name == "huge-header.gif":  # the screen is huge, the frame on it is small and is what counts
        assert read_image(hostile.bombs()[name]).pixels.size < 10_000
    else:
        with pytest.raises(ImageError):
            read_image(hostile.bombs()[name])
    assert _peak_of_worker() - before < 300


def _peak_of_worker() -> float:
    """Peak memory of the worker in MB."""
    status = Path(f"/proc/{decoder.pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1000


def test_picture_over_the_limit_is_refused() -> None:
    data = hostile.encode_pillow(hostile.photo(101, 100), "PNG")
    with pytest.raises(TooLargeError, match="100 x 101"):
        read_image(data, limits=Limits(max_pixels=10_000))
    assert read_image(data, limits=Limits(max_pixels=10_100)).height == 101
    with pytest.raises(TooLargeError, match="MB"):
        read_image(data, limits=Limits(max_bytes=1000))


def test_endless_decoding_is_stopped() -> None:
    """A valid file of 81 million pixels that has as many scans as are allowed, and would take several seconds."""
    with pytest.raises(TooLargeError):
        read_image(hostile.scan_bomb(scans=100), limits=Limits(cpu_seconds=1))
    assert read_image(hostile.seeds()["rgba.png"]).has_alpha


def test_memory_is_bounded() -> None:
    decoder.close()  # what earlier decoding left to the process would be enough
    data = hostile.encode_pillow(hostile.photo(2000, 2000), "JPEG", progressive=True)
    with pytest.raises(ImageError):
        read_image(data, limits=Limits(memory=4 << 20))
    assert read_image(data).height == 2000


@pytest.mark.parametrize("name", hostile.seeds())
def test_cut_file_is_refused_or_whole(name: str) -> None:
    """No cut ends in anything but an error, except where the pixels were complete before it."""
    data = hostile.seeds()[name]
    whole = read_image(data).pixels
    for cut in hostile.cuts(data):
        try:
            picture = read_image(cut)
        except ImageError:
            continue
        assert (picture.pixels == whole).all()


@pytest.mark.parametrize("name", ["large.jpg", "rgba.png", "plain.bmp", "one.gif", "min-is-white16.tif"])
def test_damaged_file_is_shown_on_request(name: str) -> None:
    large = {"large.jpg": hostile.encode_pillow(hostile.photo(200, 200), "JPEG")}
    data = (hostile.good_files() | large)[name]
    cut = data[: len(data) * 3 // 4]
    with pytest.raises(ReadError):
        read_image(cut)
    picture = read_image(cut, allow_damaged=True)
    assert picture.pixels.shape[:2] == read_image(data).pixels.shape[:2]
    assert any("damaged" in note for note in picture.facts.notes)


def test_jpeg_with_a_damaged_place_says_so() -> None:
    data = bytearray(hostile.encode_pillow(hostile.photo(200, 200), "JPEG"))
    assert not read_image(bytes(data)).facts.notes
    data[len(data) // 2 : len(data) // 2 + 30] = bytes(range(30))
    assert any("damaged place" in note for note in read_image(bytes(data)).facts.notes)


@pytest.mark.parametrize("part", range(4))
def test_mutations_end_in_an_image_or_our_error(part: int) -> None:
    _run_mutations(100, seed=part, given=FUZZED)


@pytest.mark.fuzz
@pytest.mark.timeout(24 * 3600)
@pytest.mark.parametrize("name", FUZZED)
def test_thousands_of_mutations(name: str) -> None:
    refused = _run_mutations(hostile.FUZZ_COUNT, seed=1000, given={name: FUZZED[name]})
    assert refused > hostile.FUZZ_COUNT / 50


def _run_mutations(count: int, seed: int, given: dict[str, bytes] | None = None) -> int:
    """How many were refused, without or with `allow_damaged` in turn."""
    refused = 0
    for number, (name, data) in enumerate(hostile.mutations(count, seed, given)):
        sentence = _outcome(name, data, allow_damaged=bool(number % 2))
        assert sentence.isprintable(), name
        refused += bool(sentence)
    return refused


def _outcome(name: str, data: bytes, *, allow_damaged: bool) -> str:
    """Nothing for an image that was read and written, or our error's sentence; any other error fails the test."""
    try:
        read_and_write(data, allow_damaged=allow_damaged, limits=Limits(max_pixels=1_000_000, cpu_seconds=5))
    except UnblurError as error:
        return str(error)
    except Exception as error:
        raise AssertionError(f"{name} escaped as {error!r}") from error
    return ""


def test_worker_that_was_started_early_does_the_first_job() -> None:
    decoder.close()
    decoder.start()
    pid = decoder.pid
    assert pid is not None
    decoder.start()
    read_image(hostile.seeds()["rgba.png"])
    assert decoder.pid == pid


def test_worker_that_crashes_is_replaced() -> None:
    """SIGSEGV in the middle of a file: that file fails, the next one is read by a new worker."""
    read_image(hostile.seeds()["rgba.png"])
    pid = decoder.pid
    assert pid
    os.kill(pid, signal.SIGSTOP)  # so that the job is surely not done before the signal comes
    threading.Timer(0.3, lambda: (os.kill(pid, signal.SIGSEGV), os.kill(pid, signal.SIGCONT))).start()
    with pytest.raises(ReadError, match="crash"):
        read_image(hostile.seeds()["rgba.png"])
    assert read_image(hostile.seeds()["rgba.png"]).has_alpha
    assert decoder.pid != pid


def test_worker_that_died_between_files_is_not_noticed() -> None:
    read_image(hostile.seeds()["rgba.png"])
    pid = decoder.pid
    assert pid
    os.kill(pid, signal.SIGKILL)
    time.sleep(0.1)
    assert read_image(hostile.seeds()["rgba.png"]).has_alpha


def test_worker_loses_no_descriptors_on_bad_files() -> None:
    bad = [data[: len(data) * 2 // 3] for data in hostile.good_files().values()]
    cmyk = Picture(hostile.photo(8, 8, 4), "cmyk", facts=FileFacts(icc=b"\0" * 16 + b"CMYK" + bytes(300)))

    def burden() -> int:
        for data in bad:
            _outcome("cut", data, allow_damaged=True)
        from_working(to_working(cmyk), cmyk)
        return len(list(Path(f"/proc/{decoder.pid}/fd").iterdir()))

    burdens = [burden() for _ in range(3)]
    assert max(burdens) - min(burdens) <= 2  # the last job's own may still be open


def test_worker_ends_with_its_parent() -> None:
    code = """
import os, sys
from unblur.images.files import read_image
from unblur.images.decoder import decoder
read_image(bytes.fromhex(sys.argv[1]))
print(decoder.pid, flush=True)
os.kill(os.getpid(), 9)
"""
    data = hostile.encode_pillow(hostile.photo(2, 2), "PNG").hex()
    ended = subprocess.run(
        [sys.executable, "-c", code, data], capture_output=True, text=True, env=_environment(), check=False
    )
    worker = Path(f"/proc/{int(ended.stdout)}")
    deadline = time.monotonic() + 5
    while _is_alive(worker) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _is_alive(worker)


def _is_alive(process: Path) -> bool:
    """A process whose new parent has not collected it yet is dead all the same."""
    try:
        return "State:\tZ" not in (process / "status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_fork_starts_its_own_worker() -> None:
    read_image(hostile.seeds()["rgba.png"])
    code = """
import os, sys
from unblur.images.files import read_image
from unblur.images.decoder import decoder
data = bytes.fromhex(sys.argv[1])
read_image(data)
before = decoder.pid
child = os.fork()
if not child:
    read_image(data)
    os._exit(7 if decoder.pid != before else 1)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
read_image(data)
assert decoder.pid == before
"""
    data = hostile.encode_pillow(hostile.photo(2, 2), "PNG").hex()
    subprocess.run([sys.executable, "-c", code, data], check=True, env=_environment())


def test_no_helper_is_started_and_nothing_is_printed(tmp_path: Path) -> None:
    """Programs that image libraries are known to call for EPS, PDF, SVG or URLs leave a trace here."""
    trace = tmp_path / "started"
    for name in ("gs", "convert", "magick", "curl", "wget", "inkscape", "rsvg-convert", "pdftoppm", "sh", "python3"):
        helper = tmp_path / name
        helper.write_text(f"#!/bin/sh\necho {name} >> {trace}\n")
        helper.chmod(0o755)
    for name, data in (hostile.bad_files() | hostile.good_files()).items():
        (tmp_path / f"{len(name)}-{name}").write_bytes(data)
    code = """
import sys
from pathlib import Path
from unblur.errors import UnblurError
from unblur.images.files import read_image
for path in sorted(Path(sys.argv[1]).glob("*-*")):
    try:
        read_image(path)
    except UnblurError:
        pass
"""
    environment = _environment() | {"PATH": str(tmp_path)}
    ended = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, check=False, env=environment
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, b"", b"")
    assert not trace.exists()


@pytest.mark.parametrize("limit", ["-t 20", "-v 1500000", "-v 300000"])
def test_limit_of_the_system_is_never_blamed_on_the_photo(tmp_path: Path, limit: str) -> None:
    files = dict(itertools.islice(hostile.good_files().items(), 0, None, 5))  # each needs a decoder of its own
    files["large.jpg"] = hostile.encode_pillow(hostile.photo(2000, 2500), "JPEG")
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    code = """
import sys
from pathlib import Path
from unblur.errors import UnblurError
from unblur.images.files import read_image
for path in sorted(Path(sys.argv[1]).iterdir()):
    try:
        read_image(path)
        print("read")
    except UnblurError as error:
        print(error)
"""
    command = [f"ulimit {limit}; exec {sys.executable} -c '{code}' {tmp_path}"]
    ended = subprocess.run(["/bin/sh", "-c", *command], capture_output=True, text=True, check=True, env=_environment())
    said = ended.stdout.splitlines()
    assert len(said) == len(files)
    assert all(line == "read" or "this system allows" in line for line in said), said
    if limit != "-v 300000":
        assert set(said) == {"read"}


def _environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(Path(__file__).parents[2] / "src")}


def test_paths_that_are_no_files(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "dangling").symlink_to(tmp_path / "nothing")
    os.mkfifo(tmp_path / "pipe")
    with (tmp_path / "sparse").open("wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n")
        file.truncate(5 << 30)
    expected = {
        tmp_path / "loop": "loop",
        tmp_path / "dangling": "does not exist",
        tmp_path / "pipe": "pipe",
        tmp_path: "folder",
        tmp_path / "sparse": "MB are allowed",
        tmp_path / ("x" * 300): "too long",
        tmp_path / "a\0b": "zero byte",
        Path("/dev/zero"): "device",
    }
    for path, words in expected.items():
        with pytest.raises(ImageError, match=words):
            read_image(path)


def test_hostile_names_are_only_names(tmp_path: Path) -> None:
    data = hostile.encode_pillow(hostile.photo(2, 2), "PNG")
    for name in hostile.HOSTILE_NAMES:
        path = tmp_path / os.fsdecode(name)
        path.write_bytes(data)
        assert read_image(path).height == 2
        assert read_image(str(path)).height == 2
    assert len(list(tmp_path.iterdir())) == len(hostile.HOSTILE_NAMES) == 50
