"""The API in this process, and a server that the tests of a module share."""

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from running_server import RunningServer, start_server
from unblur.server.application import make_server
from unblur.server.settings import ServerSettings


@pytest.fixture(scope="module")
def api() -> Iterator[TestClient]:
    with TestClient(make_server(ServerSettings()), "http://127.0.0.1:8765", raise_server_exceptions=False) as client:
        yield client


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[RunningServer]:
    running = start_server(tmp_path_factory.mktemp("server"))
    yield running
    running.stop()
