"""Files over HTTP, whole or not at all, whatever the server does (goal F5)."""

import shutil
import subprocess
from hashlib import sha256

import numpy as np
import pytest

from faulty_server import Fault, serve
from unblur.errors import DownloadError, OutputError
from unblur.weights.download import Patience, copy_file, download
from unblur.weights.public import RemoteFile

DATA = np.random.default_rng(0).bytes(300_000)
OTHER = np.random.default_rng(1).bytes(300_000)
FILE = RemoteFile("a/w.bin", len(DATA), sha256(DATA).hexdigest())
QUICK = Patience(seconds=0.5, slowest=1_000, pause=0.01)
CUTS = [0, 1, 7, 1_000, 65_536, 131_072, 150_000, 200_000, 299_000, 299_999]


@pytest.fixture
def server():
    with serve() as running:
        running.files["/a/w.bin"] = DATA
        yield running


@pytest.fixture
def bring(server, tmp_path):
    """Brings the file and returns its place; how many bytes were reported is `bring.reported`."""

    def bring_file(patience: Patience = QUICK):
        bring_file.reported = 0

        def count(number: int) -> None:
            bring_file.reported += number

        download(f"{server.address}/a/w.bin", tmp_path / "w.bin", FILE, count, patience)
        return tmp_path / "w.bin"

    return bring_file


def refused(bring, tmp_path, told: str) -> str:
    with pytest.raises(DownloadError, match=told) as caught:
        bring()
    assert not (tmp_path / "w.bin").exists()
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300
    return str(caught.value)


def test_a_file_is_brought(server, bring, tmp_path):
    assert bring().read_bytes() == DATA
    assert [path.name for path in tmp_path.iterdir()] == ["w.bin"]
    assert bring.reported == len(DATA)
    assert [request.range for request in server.requests] == [None]


@pytest.mark.parametrize("place", CUTS)
def test_a_cut_transfer_goes_on_where_it_ended(server, bring, place):
    server.faults = [Fault(cut_at=place)]
    assert bring().read_bytes() == DATA
    assert bring.reported == len(DATA)
    assert [request.range for request in server.requests] == [None, f"bytes={place}-" if place else None]


def test_a_later_run_goes_on_too(server, bring, tmp_path):
    server.always = Fault(cut_at=1_000)
    told = refused(bring, tmp_path, "in 4 tries")
    assert "the connection ended after 4,000 of 300,000 bytes" in told
    assert len(server.requests) == 4
    server.always = Fault()
    assert bring().read_bytes() == DATA
    assert server.requests[-1].range == "bytes=4000-"
    assert bring.reported == len(DATA)


@pytest.mark.parametrize("stated", [len(DATA) + 1, 2 * len(DATA), 10**30])
def test_a_length_beyond_the_file_is_refused_at_once(server, bring, tmp_path, stated):
    server.always = Fault(stated=stated)
    refused(bring, tmp_path, "is another file: it has more bytes")
    assert len(server.requests) == 1


@pytest.mark.parametrize("stated", [0, 1, 200_000, len(DATA) - 1])
def test_a_length_below_the_file_is_a_cut(server, bring, stated):
    server.faults = [Fault(stated=stated)]
    assert bring().read_bytes() == DATA


def test_more_bytes_than_expected_are_refused(server, bring, tmp_path):
    server.always = Fault(data=DATA + b"more", without_length=True)
    refused(bring, tmp_path, "is another file: it is larger")
    assert len(server.requests) == 1


def test_an_unstated_length_is_fine(server, bring):
    server.always = Fault(without_length=True)
    assert bring().read_bytes() == DATA


def test_other_bytes_are_refused_and_removed(server, bring, tmp_path):
    server.always = Fault(data=OTHER)
    refused(bring, tmp_path, "is another file: its checksum is wrong")
    assert len(server.requests) == 1
    assert list(tmp_path.iterdir()) == []
    assert bring.reported == 0


def test_a_web_page_instead_of_the_file(server, bring, tmp_path):
    server.always = Fault(data=b"<html>Sign in</html>")
    refused(bring, tmp_path, "in 4 tries|another file")


def test_a_file_that_changes_while_it_is_brought(server, bring):
    """The halves of two files do not fit together: it is brought again from its beginning."""
    server.faults = [Fault(data=OTHER, cut_at=150_000)]
    assert bring().read_bytes() == DATA
    assert [request.range for request in server.requests] == [None, "bytes=150000-", None]


@pytest.mark.parametrize("status", [500, 502, 503, 429])
def test_a_server_in_trouble_gets_three_further_tries(server, bring, tmp_path, status):
    server.faults = [Fault(status=status)] * 3
    assert bring().read_bytes() == DATA
    server.requests.clear()
    (tmp_path / "w.bin").unlink()
    server.always = Fault(status=status)
    refused(bring, tmp_path, rf"in 4 tries \(the server answered {status}\)")
    assert len(server.requests) == 4


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_a_file_that_is_not_there_is_asked_for_once(server, bring, tmp_path, status):
    server.always = Fault(status=status)
    refused(bring, tmp_path, f"cannot be downloaded: the server answered {status}")
    assert len(server.requests) == 1


@pytest.mark.parametrize("place", [0, 150_000])
def test_a_stalled_transfer_is_given_up_and_goes_on(server, bring, place):
    server.faults = [Fault(stall_at=place)]
    assert bring().read_bytes() == DATA


def test_a_trickle_counts_as_stalled(server, bring, tmp_path):
    server.always = Fault(drip=True)
    refused(bring, tmp_path, r"bytes came in")


@pytest.mark.parametrize("further", [Fault(ignore_range=True), Fault(status=416)])
def test_servers_that_cannot_go_on(server, bring, further):
    server.faults = [Fault(cut_at=1_000), further]
    assert bring().read_bytes() == DATA
    assert bring.reported == len(DATA)


def test_what_lies_there_already_is_not_trusted(bring, tmp_path):
    for left in (b"x" * 1_000, OTHER, OTHER + DATA):
        (tmp_path / "w.bin.part").write_bytes(left)
        assert bring().read_bytes() == DATA


@pytest.mark.parametrize("address", ["http://127.0.0.1:9/w", "file:///etc/passwd", "ftp://127.0.0.1/w", "w.bin"])
def test_addresses_without_a_server(tmp_path, address):
    with pytest.raises(DownloadError, match=r"cannot be reached|is no address"):
        download(address, tmp_path / "w.bin", FILE, lambda _: None, QUICK)


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 200 kB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting a small disk is not allowed here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk(server, small_disk):
    with pytest.raises(OutputError, match="the disk is full"):
        download(f"{server.address}/a/w.bin", small_disk / "w.bin", FILE, lambda _: None, QUICK)
    assert not (small_disk / "w.bin").exists()
    assert len(server.requests) == 1


def test_a_folder_that_is_not_there(server, tmp_path):
    with pytest.raises(OutputError, match="folder does not exist"):
        download(f"{server.address}/a/w.bin", tmp_path / "no" / "w.bin", FILE, lambda _: None, QUICK)


def test_a_file_of_the_users(tmp_path):
    (tmp_path / "mine").write_bytes(DATA)
    copy_file(tmp_path / "mine", tmp_path / "w.bin", FILE, lambda _: None)
    assert (tmp_path / "w.bin").read_bytes() == DATA
    for other in (OTHER, DATA[:-1], b""):
        (tmp_path / "mine").write_bytes(other)
        with pytest.raises(DownloadError, match=f"is another file than w.bin of 300,000 bytes.+{FILE.sha256}"):
            copy_file(tmp_path / "mine", tmp_path / "w2.bin", FILE, lambda _: None)
    assert not (tmp_path / "w2.bin").exists()
    with pytest.raises(DownloadError, match=r"cannot be read: .*no such file"):
        copy_file(tmp_path / "none", tmp_path / "w2.bin", FILE, lambda _: None)
