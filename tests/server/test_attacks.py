"""What hostile or careless clients send to a real server is refused before it costs much; the next one is served."""

import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from hostile import bad_files, bombs, good_files
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

BODY = 300_000
HEAD_SECONDS, BODY_SECONDS = 2, 3
FORM = "multipart/form-data; boundary=cut"
LEAKS = re.compile(
    r"Traceback|File \"|/tmp/|/home/|/root/|site-packages|\.py\b|" + re.escape(str(Path(__file__).resolve().parents[2]))
)


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[RunningServer]:
    """One with small limits, so that reaching them takes no time."""
    limits = {"body": BODY, "header-seconds": HEAD_SECONDS, "body-seconds": BODY_SECONDS, "queue": 4}
    words = [word for name, value in limits.items() for word in (f"--{name}", str(value))]
    running = start_server(tmp_path_factory.mktemp("server"), *words)
    assert restore(running).status_code == 200
    yield running
    assert files_below(running.folder) == []
    assert running.stop() == 0
    assert list(running.folder.iterdir()) == []


def restore(server: RunningServer, photo: bytes | None = None, name: str = "photo", **fields: str) -> httpx.Response:
    files = {"photo": (name, photo_bytes() if photo is None else photo)}
    return httpx.post(f"{server.address}/v1/restore", files=files, data={"method": "input", **fields}, timeout=120)


def post(body: bytes, **headers: str) -> list[bytes]:
    sized = {} if "Transfer_Encoding" in headers or "Content_Length" in headers else {"Content_Length": str(len(body))}
    return [head_of("/v1/restore", "POST", **{"Content_Type": FORM, **sized, **headers}), body]


def chunk(data: bytes) -> bytes:
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


PHOTO = ('name="photo"; filename="a"', b"x")
BODIES = {
    "declared too large": (post(b"", Content_Length=str(10**12)), {413}),
    "too large in chunks": (
        [*post(b"", Transfer_Encoding="chunked"), *[chunk(bytes(60_000))] * 20, b"0\r\n\r\n"],
        {413},
    ),
    "more than declared": (post(form_of(PHOTO) + bytes(5000), Content_Length="10"), {400, 422}),
    "less than declared": (post(form_of(PHOTO), Content_Length="100000"), {408}),
    "ten thousand parts": (post(form_of(*[(f'name="p{number}"', b"") for number in range(5000)])), {400}),
    "ten thousand files": (post(form_of(*[(f'name="p{n}"; filename="a"', b"") for n in range(4000)])), {400}),
    "huge head of a part": (post(form_of(('name="photo"; filename="' + "a" * 200_000 + '"', b"x"))), {400}),
    "many heads of a part": (post(b"--cut\r\n" + b"".join(b"X-%d: y\r\n" % n for n in range(9000)) + b"\r\n"), {400}),
    "huge text field": (post(form_of(PHOTO, ('name="method"', b"m" * 200_000))), {400}),
    "endless text field": (
        [*post(b"", Transfer_Encoding="chunked"), chunk(b'--cut\r\nContent-Disposition: form-data; name="set"\r\n\r\n')]
        + [chunk(bytes(60_000))] * 20,
        {400, 413},
    ),
    "compressed": (post(form_of(PHOTO), Content_Encoding="gzip"), {415}),
    "negative length": (post(b"", Content_Length="-1"), {400}),
    "two lengths": (post(b"x", Content_Length="1", Transfer_Encoding="chunked"), {400, 408}),
    "broken chunks": ([*post(b"", Transfer_Encoding="chunked"), b"zz\r\nhello"], {400}),
    "no boundary": (post(form_of(PHOTO), Content_Type="multipart/form-data"), {400}),
    "no end": (post(form_of(PHOTO)[:-9]), {400, 422}),
    "huge head": ([b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + b"y" * 100_000], {400, 431}),
}


@pytest.mark.parametrize("kind", BODIES)
def test_bodies_over_a_limit(server, kind):
    before = memory_mb(server.process.pid)
    parts, expected = BODIES[kind]
    answer = talk(server, *parts)
    assert status_of(answer) in expected, answer[:300]
    assert not LEAKS.search(answer.decode("latin-1"))
    assert memory_mb(server.process.pid) - before < 100


def test_slow_and_silent_clients_are_closed(server):
    """50 connections that send a head or a body byte by byte, or nothing; meanwhile others are served as ever."""
    began = time.monotonic()
    body_head = post(b"", Content_Length="1000")[0]
    closed: list[float] = []

    def drip(first: bytes) -> None:
        with socket.create_connection((server.host, server.port), timeout=40) as connection:
            connection.sendall(first)
            connection.settimeout(0.3)
            while time.monotonic() - began < 40:
                try:
                    connection.sendall(b"x" if first else b"")
                    if connection.recv(1000) == b"":
                        break
                except TimeoutError:
                    continue
                except OSError:
                    break
            closed.append(time.monotonic() - began)

    kinds = [b"", b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ", body_head]
    threads = [threading.Thread(target=drip, args=(kinds[number % 3],)) for number in range(50)]
    for thread in threads:
        thread.start()
    assert restore(server).status_code == 200
    for thread in threads:
        thread.join()
    assert len(closed) == 50
    assert max(closed) < 39


def test_files_that_are_no_photos(server):
    """The corpus of malformed and hostile files: each is refused in one line, or restored."""
    corpus = {**bad_files(), **bombs()}
    some = {name: data for name, data in corpus.items() if len(data) < BODY - 1000}
    assert len(some) > 30
    for name, data in some.items():
        answer = restore(server, data, name)
        assert answer.status_code in {200, 400, 413, 415, 422}, (name, answer.text)
        if answer.status_code != 200:
            assert set(answer.json()["error"]) == {"code", "message"}
            assert not LEAKS.search(answer.text), (name, answer.text)
            assert "\n" not in answer.text
    assert restore(server).status_code == 200


@pytest.mark.slow
def test_good_files_of_the_corpus_come_back(server):
    for name, data in good_files().items():
        if len(data) < BODY - 1000:
            assert restore(server, data, name).status_code == 200, name


ESCAPES = ["../", "..%2f", "%2e%2e/", "%2e%2e%2f", "..\\", "..%5c", "....//", "%00/", "//", "/etc/passwd%00.png"]
PREFIXES = ["/", "/v1/jobs/", "/v1/jobs/x/result/", "/v1/methods/"]


@pytest.mark.parametrize("prefix", PREFIXES)
def test_paths_that_lead_elsewhere(server, prefix):
    for escape in ESCAPES:
        answer = talk(server, head_of(prefix + escape * 3 + "etc/passwd"))
        assert status_of(answer) in {400, 404, 405}, (prefix, escape, answer[:200])
        assert b"root:" not in answer
    for guess in ("a", "0" * 32, "..", "lock", "%2e", "*"):
        for ending in ("", "/result", "/kernel", "/motion", "/events"):
            assert status_of(talk(server, head_of(f"/v1/jobs/{guess}{ending}"))) == 404


@pytest.mark.parametrize("name", ["../../x.png", "/etc/x.png", "..\\x.png", "x\x00.png", "a" * 3000, "<script>.svg"])
def test_names_of_files_go_nowhere(server, name):
    answer = restore(server, name=name)
    assert answer.status_code == 200
    assert name not in str(answer.headers)
    assert [path.name[:14] for path in server.folder.iterdir()] == ["unblur-server-"]


HOSTS = [
    "evil.example",
    "127.0.0.1.evil.com",
    "localhost.evil.com",
    "[::ffff:127.0.0.1]",
    "",
    "127.0.0.1@evil",
    "2130706433",
]
ORIGINS = [
    "http://evil.example",
    "null",
    "http://127.0.0.1.evil.com",
    "http://127.0.0.1:1",
    "file://",
    "http://localhost",
]


@pytest.mark.parametrize("host", HOSTS)
def test_foreign_hosts(server, host):
    assert status_of(talk(server, head_of(Host=host))) in {400, 403}
    assert status_of(talk(server, head_of("/v1/methods", Host=host))) in {400, 403}


@pytest.mark.parametrize("origin", ORIGINS)
def test_foreign_origins(server, origin):
    for path, method in (
        ("/v1/restore", "POST"),
        ("/v1/jobs", "POST"),
        ("/v1/jobs/x", "DELETE"),
        ("/v1/methods", "GET"),
    ):
        assert status_of(talk(server, head_of(path, method, Origin=origin, Content_Length="0"))) == 403


def test_requests_that_pages_of_other_sites_can_make(server):
    for site in ("cross-site", "same-site"):
        assert status_of(talk(server, *post(form_of(PHOTO), Sec_Fetch_Site=site))) == 403
    assert status_of(talk(server, *post(b"x", Content_Type="text/plain"))) == 415
    assert status_of(talk(server, head_of("/v1/restore", "OPTIONS", Origin="http://evil.example"))) == 403


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LOCALHOST:9", "[::1]", "127.0.0.1:8765"])
def test_own_names(server, host):
    assert status_of(talk(server, head_of(Host=host))) == 200
    assert status_of(talk(server, head_of(Host=host, Origin=f"http://{host.lower()}"))) == 200


def test_answers_are_inert(server):
    answers = [
        restore(server),
        restore(server, b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "a.svg"),
        restore(server, method="<script>"),
        httpx.get(f"{server.address}/v1/methods"),
        httpx.get(f"{server.address}/<script>alert(1)</script>"),
        httpx.get(f"{server.address}/healthz", headers={"Origin": "null"}),
    ]
    assert [answer.status_code for answer in answers] == [200, 422, 422, 200, 404, 403]
    for answer in answers:
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-type"].partition(";")[0] in {"application/json", "image/png"}


def test_clients_that_leave_free_the_queue(server):
    """Requests for half a minute of work, all cut off: the next one is served at once."""
    body = form_of(
        ('name="photo"; filename="a"', photo_bytes()),
        ('name="method"', b"slow-input"),
        ('name="set"', b"steps=300"),
        ('name="set"', b"nap=0.1"),
    )
    for _ in range(10):
        with socket.create_connection((server.host, server.port)) as connection:
            connection.sendall(b"".join(post(body)))
            time.sleep(0.1)
    began = time.monotonic()
    answer = restore(server)
    while answer.status_code == 429 and time.monotonic() - began < 20:
        time.sleep(0.2)
        answer = restore(server)
    assert answer.status_code == 200
    assert time.monotonic() - began < 20


def test_many_clients_get_their_own_photo_or_are_told_to_wait(server):
    photos = [photo_bytes(seed=number) for number in range(5)]
    expected = [restore(server, photo).content for photo in photos]
    assert len(set(expected)) == 5

    def ask(number: int) -> tuple[int, bool]:
        answer = restore(server, photos[number % 5])
        assert answer.status_code == 200 or int(answer.headers["retry-after"]) >= 1
        return answer.status_code, answer.content == expected[number % 5]

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(ask, range(20)))
    assert {status for status, _ in answers} == {200, 429}
    assert all(is_right for status, is_right in answers if status == 200)


def test_nothing_is_left_of_many_requests(server):
    """Good, bad and cut off: descriptors, memory and files are as before."""
    restore(server)
    before = descriptors(server.process.pid), memory_mb(server.process.pid)
    for number in range(21):
        if number % 10 == 0:
            restore(server, b"no photo")
        elif number % 20 == 1:
            with socket.create_connection((server.host, server.port)) as connection:
                connection.sendall(b"".join(post(form_of(PHOTO)))[:-20])
        else:
            restore(server)
    time.sleep(0.5)
    assert descriptors(server.process.pid) <= before[0] + 2
    assert memory_mb(server.process.pid) <= 1.05 * before[1] + 2
    assert files_below(server.folder) == []


def test_log_is_json_without_names(server):
    restore(server, name="private-name.png")
    lines = [json.loads(line) for line in server.log.read_text().splitlines()]
    events = {line["event"] for line in lines}
    assert {"request", "job"} <= events
    assert "private-name" not in server.log.read_text()
    assert any(line.get("route") == "/v1/restore" and line["status"] == 200 for line in lines)


def test_metrics_count(server):
    text = httpx.get(f"{server.address}/metrics").text
    assert re.search(r'unblur_requests_total\{method="POST",route="/v1/restore",status="200"\} [1-9]', text)
    assert re.search(r'unblur_jobs_total\{status="done"\} [1-9]', text)
    assert "unblur_jobs_waiting 0.0" in text
