"""The server as a process: its end, its token, its memory, and what it does under load."""

import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from hostile import good_files
from living_processes import processes, workers_of
from running_server import (
    RunningServer,
    descriptors,
    files_below,
    form_of,
    head_of,
    memory_mb,
    photo_bytes,
    start_server,
    status_of,
    talk,
)
from unblur import Client, ServerError
from unblur.cli.serve import with_token
from unblur.server.settings import ServerSettings

TESTS = Path(__file__).parents[1]


def restore(server: RunningServer, photo: bytes, **fields: object) -> httpx.Response:
    fields = {"method": "input", **fields}
    return httpx.post(f"{server.address}/v1/restore", files={"photo": photo}, data=fields, timeout=300)


def family_of(pid: int) -> list[int]:
    """A process and all below it."""
    children = processes(lambda status, _: int(status[1]) == pid)
    return [pid, *(other for child in children for other in family_of(child))]


def family_mb(pid: int) -> float:
    total = 0.0
    for member in family_of(pid):
        try:
            total += memory_mb(member)
        except (OSError, StopIteration):
            continue
    return total


def test_stop_lets_running_work_end(tmp_path):
    """Under load: what runs is answered whole, what waits is refused in words, nothing is cut, and no file is left."""
    server = start_server(tmp_path)
    answers: list[httpx.Response] = []
    fields = {"method": "slow-input", "set": ["steps=20", "nap=0.15"]}
    threads = [
        threading.Thread(target=lambda: answers.append(restore(server, photo_bytes(), **fields))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + 60
    under_load = ("unblur_jobs_running 1.0", "unblur_jobs_waiting 3.0")
    while not all(words in httpx.get(f"{server.address}/metrics", timeout=60).text for words in under_load):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    family = family_of(server.process.pid)
    began = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - began < 20
    for thread in threads:
        thread.join()
    assert sorted(answer.status_code for answer in answers) == [200, 503, 503, 503]
    assert all(answer.content.startswith(b"\x89PNG") for answer in answers if answer.status_code == 200)
    assert list(server.folder.iterdir()) == []
    assert not set(family_of(server.process.pid)) & set(family[1:])


@pytest.mark.slow
def test_work_that_takes_too_long_is_ended_with_the_server(tmp_path):
    server = start_server(tmp_path, "--stop-seconds", "1")
    with Client(server.address) as client:
        job = client.submit(photo_bytes(), method="slow-input", settings={"steps": 1, "nap": 600})
        while client.job(job.id).status == "waiting":
            time.sleep(0.05)
    began = time.monotonic()
    assert server.stop(signal.SIGINT) == 0
    assert time.monotonic() - began < 20
    assert list(server.folder.iterdir()) == []


def test_token(tmp_path):
    server = start_server(tmp_path, "--token", "secret")
    try:
        assert server.token == "secret"
        assert status_of(talk(server, head_of("/healthz"))) == 200
        for path in ("/v1/methods", "/metrics", "/openapi.json", "/v1/jobs/x", "/nothing"):
            assert status_of(talk(server, head_of(path))) == 401
        for wrong in ("Bearer other", "Basic secret", "Bearer", "secret", "Bearer s\xe9cret"):
            assert status_of(talk(server, head_of("/v1/methods", Authorization=wrong))) == 401
        assert status_of(talk(server, head_of("/v1/methods", Authorization="Bearer secret"))) == 200
        assert status_of(talk(server, head_of("/v1/methods", Cookie="unblur-token=secret"))) == 200
        brought = talk(server, head_of("/v1/methods?token=secret"))
        assert status_of(brought) == 303
        assert b"HttpOnly" in brought
        assert b"SameSite=strict" in brought
        assert b"location: /v1/methods\r\n" in brought
        with Client(server.address, token="secret") as client:
            assert client.methods()
        with Client(server.address) as client, pytest.raises(ServerError, match="token is missing or wrong"):
            client.methods()
    finally:
        assert server.stop() == 0
    assert "secret" not in server.log.read_text()


def test_other_addresses_need_a_token():
    assert with_token(ServerSettings()).token == ""
    assert with_token(ServerSettings(host="::1")).token == ""
    made = {with_token(ServerSettings(host=host)).token for host in ("0.0.0.0", "::", "192.0.2.1", "photos.example")}
    assert len(made) == 4
    assert min(map(len, made)) >= 32
    assert with_token(ServerSettings(host="0.0.0.0", token="mine")).token == "mine"


def test_address_in_use(run):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ran = run("serve", "--port", str(taken.getsockname()[1]))
    assert ran.code == 2
    assert "cannot listen on 127.0.0.1" in ran.errors[0]


@pytest.mark.slow
def test_too_little_memory(tmp_path):
    """A process that gets no memory answers 503, and the next photo is restored."""
    server = start_server(tmp_path)
    try:
        assert restore(server, photo_bytes()).status_code == 200
        for pid in workers_of(server.process.pid):
            pages = int(Path(f"/proc/{pid}/statm").read_text().split()[0])
            most = pages * resource.getpagesize() + (30 << 20)  # the photo takes 90 MB
            resource.prlimit(pid, resource.RLIMIT_AS, (most, most))
        large = restore(server, photo_bytes((6000, 5000), form="JPEG"))
        assert large.status_code == 503, large.text
        assert large.json()["error"]["code"] == "memory"
        assert restore(server, photo_bytes()).status_code == 200
    finally:
        assert server.stop() == 0


@pytest.mark.slow
def test_nobody_is_called(tmp_path):
    """No connection leaves the server whatever is sent: under strace, only its own listening socket is used."""
    import shutil

    if not shutil.which("strace"):
        pytest.skip("strace is not installed")
    server = start_server(tmp_path)
    trace = tmp_path / "trace"
    tracing = subprocess.Popen(
        ["strace", "-f", "-qq", "-e", "trace=connect", "-o", str(trace), "-p", str(server.process.pid)]
    )
    time.sleep(1)
    for data in [*list(good_files().values())[:10], b"https://127.0.0.1/x.png", b"<svg xmlns='x'/>"]:
        restore(server, data)
    restore(server, photo_bytes(), url="http://127.0.0.1:1/")
    assert server.stop() == 0
    tracing.wait(20)
    assert "AF_INET" not in trace.read_text()


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_two_hundred_uploads_at_once(tmp_path):
    """Queue 16: each is restored or refused with 429, memory stays below 3 GB, and the server answers within a second.

    Where other programs fill the machine, the clock says how busy they are; what counts then is the processor time that
    the server spends between the question and the answer.
    """
    server = start_server(tmp_path)
    photo = photo_bytes((2000, 1500), form="JPEG")
    restore(server, photo)
    peaks, done = [0.0], threading.Event()
    code = f"import running_server; running_server.ask_for_health({server.port}, {server.process.pid})"
    # In a process of its own: the threads of this one would wait for each other.
    asking = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=TESTS)

    def watch() -> None:
        while not done.wait(0.3):
            peaks.append(family_mb(server.process.pid))

    watcher = threading.Thread(target=watch)
    watcher.start()
    with ThreadPoolExecutor(200) as pool:
        codes = list(pool.map(lambda _: restore(server, photo).status_code, range(200)))
    done.set()
    watcher.join()
    asking.terminate()
    lines = asking.communicate()[0].splitlines()
    waits = [(float(clock), float(processor)) for clock, processor in (line.split() for line in lines)]
    assert len(waits) > 5
    clock, processor = (max(column) for column in zip(*waits, strict=True))
    words = f"peak {max(peaks):.0f} MB, health {clock:.2f} s by the clock, {processor:.2f} s of the processor"
    sys.stdout.write(f"{words}, {codes.count(200)} restored\n")
    assert server.stop() == 0
    assert set(codes) == {200, 429}
    assert max(peaks) < 3000
    assert max(min(wait) for wait in waits) < 1


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_two_thousand_requests(tmp_path):
    """10 % bad files and 5 % cut off: memory and descriptors after 2,000 are those after 500, and no file is left."""
    server = start_server(tmp_path)
    photo, measured = photo_bytes(), {}
    body = form_of(('name="photo"; filename="a"', photo), ('name="method"', b"input"))
    head = head_of(
        "/v1/restore", "POST", Content_Type="multipart/form-data; boundary=cut", Content_Length=str(len(body))
    )
    for number in range(1, 2001):
        if number % 20 == 7:
            with socket.create_connection((server.host, server.port)) as connection:
                connection.sendall((head + body)[: len(head) + len(body) * (number % 7) // 7])
        elif number % 10 == 3:
            assert restore(server, b"no photo").status_code == 422
        else:
            assert restore(server, photo).status_code == 200
        if number in (500, 2000):
            time.sleep(1)
            pid = server.process.pid
            measured[number] = (memory_mb(pid), family_mb(pid), descriptors(pid), len(files_below(server.folder)))
    sys.stdout.write(f"MB of server, MB of all processes, descriptors, files: {measured}\n")
    assert server.stop() == 0
    assert measured[2000][0] <= 1.05 * measured[500][0]
    assert measured[2000][1] <= 1.05 * measured[500][1]
    assert measured[2000][2] <= measured[500][2] + 2
    assert measured[2000][3] == 0
    assert list(server.folder.iterdir()) == []
