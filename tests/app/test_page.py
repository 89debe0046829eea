"""The page without a browser: its controls are those of the library, and its application keeps to itself."""

import asyncio
from dataclasses import fields

import pytest

pytest.importorskip("unblur.app.page")  # which imports Gradio

from fastapi import FastAPI
from starlette.testclient import TestClient

from unblur.app.application import make_app, with_page_limits
from unblur.app.controls import option_controls, setting_controls
from unblur.errors import SettingsError
from unblur.images.limits import Limits
from unblur.methods.catalog import CATALOG, settings_class_of
from unblur.methods.options import Region, RestoreOptions
from unblur.server.settings import ServerSettings


@pytest.fixture(scope="module")
def client():
    async def build() -> FastAPI:
        return make_app(with_page_limits(ServerSettings(names=("testserver",))))

    # Gradio makes event loops that nobody closes where none runs.
    with TestClient(asyncio.run(build())) as client:
        yield client


def test_options_are_those_of_the_library():
    names = [control.name for control in option_controls()]
    assert {item.name for item in fields(RestoreOptions)} - set(names) == {"device"}
    defaults = RestoreOptions()
    for control in option_controls():
        component = control.component()
        assert control.read(component.value) == getattr(defaults, control.name)


@pytest.mark.parametrize("method", CATALOG)
def test_settings_are_those_of_the_method(method):
    defaults = settings_class_of(method)()
    controls = setting_controls(method)
    assert [control.name for control in controls] == [item.name for item in fields(defaults)]
    assert all(control.read(control.component().value) == getattr(defaults, control.name) for control in controls)


def test_region_is_read():
    (region,) = [control for control in option_controls() if control.name == "region"]
    assert region.read("1,2,3,4") == Region(1, 2, 3, 4)
    assert region.read("  ") is None


def test_page_loads_nothing_from_elsewhere(client):
    answer = client.get("/")
    assert answer.status_code == 200
    assert "page.js" in answer.text
    policy = answer.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "http" not in policy
    assert client.get("/page.js").headers["content-type"].startswith("text/javascript")
    theme = client.get("/theme.css").text
    assert "http" not in theme.replace("http://www.w3.org", "")


def test_api_of_the_server_is_there(client):
    assert client.get("/healthz").json()["status"] == "ok"
    assert client.get("/v1/methods").status_code == 200


@pytest.mark.parametrize("address", ["/files/x/y", "/files/x/..%2f..%2fetc%2fpasswd", "/files//", "/page.css"])
def test_no_other_files_are_served(client, address):
    assert client.get(address).status_code == 404


def test_limits_are_those_of_the_command_line():
    settings = with_page_limits(ServerSettings())
    assert settings.pixels == Limits().max_pixels
    assert settings.body >= Limits().max_bytes


def test_a_number_that_may_be_left_out_is_read_from_text():
    (control,) = [one for one in option_controls() if one.name == "kernel_size"]
    assert control.read("") is None
    assert control.read("25") == 25
    with pytest.raises(SettingsError, match=r"Kernel size: 'large' is no number"):
        control.read("large")
