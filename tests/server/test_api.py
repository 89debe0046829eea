"""The routes: what they answer, and that a photo comes back as the command line writes it."""

import base64
import io
import json
import re
import subprocess
from pathlib import Path

import pytest
from PIL import Image

import unblur
from conftest import ROOT
from running_server import photo_bytes
from unblur.methods.settings import describe_settings
from unblur.server.forms import form_fields
from unblur.server.settings import ServerSettings

FAST = {"method": "input"}


def files(data: bytes | None = None, name: str = "photo.png") -> dict[str, tuple[str, bytes]]:
    return {"photo": (name, photo_bytes() if data is None else data)}


@pytest.mark.parametrize("form", ["PNG", "JPEG", "TIFF", "WEBP"])
def test_photo_comes_back_as_from_the_command_line(api, run, tmp_path, form):
    photo = tmp_path / f"photo.{form.lower()}"
    photo.write_bytes(photo_bytes(form=form))
    assert run("restore", photo, "-m", "input", "--strength", "0.5", "--strip-metadata").code == 0
    answer = api.post("/v1/restore", files=files(photo.read_bytes()), data={**FAST, "strength": "0.5"})
    assert answer.status_code == 200
    assert answer.content == photo.with_name(f"photo.unblur.{form.lower()}").read_bytes()
    assert answer.headers["content-type"] == f"image/{form.lower()}"


def test_json_has_image_and_kernel(api, run, make_photo):
    photo = make_photo(size=(40, 32))
    assert run("restore", photo, "-m", "map", "--strip-metadata", "--save-kernel", "--kernel-size", "3").code == 0
    answer = api.post(
        "/v1/restore",
        files=files(photo.read_bytes()),
        data={"method": "map", "kernel_size": "3"},
        headers={"Accept": "application/json"},
    ).json()
    beside = {"image": "photo.unblur.png", "kernel": "photo.unblur.kernel.png"}
    for name, file in beside.items():
        expected = photo.with_name(file)
        if expected.exists():
            assert base64.b64decode(answer[name]["base64"]) == expected.read_bytes()
        else:
            assert answer[name] is None
    assert answer["method"] == "map"
    assert answer["settings"]
    assert isinstance(answer["warnings"], list)


def test_job_from_start_to_delete(api):
    made = api.post("/v1/jobs", files=files(), data={"method": "slow-input", "set": ["steps=2", "nap=0.1"]})
    assert made.status_code == 202
    place = made.headers["location"]
    events = [json.loads(line[6:]) for line in api.get(f"{place}/events").text.splitlines() if line[:6] == "data: "]
    assert events[-1]["status"] == "done"
    assert events[-1]["links"]["result"] == f"{place}/result"
    assert api.get(place).json()["outcome"]["method"] == "slow-input"
    assert api.get(f"{place}/result").content[:4] == b"\x89PNG"
    assert api.get(f"{place}/kernel").status_code == 404
    assert api.delete(place).status_code == 204
    assert [api.get(place).status_code, api.get(f"{place}/result").status_code] == [404, 404]
    assert api.delete(place).status_code == 404


def test_events_show_each_image_of_the_work_once(api, make_photo):
    kernel = make_photo("kernel.png", size=(5, 5)).read_bytes()
    form = {"method": "known-kernel", "preview": "16"}
    photo = make_photo(size=(500, 500)).read_bytes()  # the work is to go on for some time after it was asked for
    place = api.post("/v1/jobs", files={**files(photo), "kernel": ("k", kernel)}, data=form).headers["location"]
    events = [json.loads(line[6:]) for line in api.get(f"{place}/events").text.splitlines() if line[:6] == "data: "]
    shown = [event["progress"]["preview"] for event in events if event["progress"]["preview"]]
    assert len(shown) == len(set(shown)) >= 1
    with Image.open(io.BytesIO(base64.b64decode(shown[0]))) as image:
        assert max(image.size) <= 16


def test_kernel_and_mask_that_are_sent_are_used(api, run, make_photo):
    photo, kernel, mask = (
        make_photo(size=(48, 48)),
        make_photo("kernel.png", size=(5, 5)),
        make_photo("mask.png", size=(48, 48)),
    )
    names = ("--kernel", kernel, "--mask", mask)
    assert run("restore", photo, "-m", "known-kernel", "--strip-metadata", *names).code == 0
    given = {"kernel": ("k", kernel.read_bytes()), "mask": ("m", mask.read_bytes())}
    answer = api.post("/v1/restore", files={**files(photo.read_bytes()), **given}, data={"method": "known-kernel"})
    assert answer.content == photo.with_name("photo.unblur.png").read_bytes()
    for name in given:
        bad = api.post("/v1/restore", files={**files(), name: ("k", b"no")}, data={"method": "known-kernel"})
        assert bad.status_code == 422
        assert "/" not in bad.json()["error"]["message"]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"url": "http://127.0.0.1/"}, "there is no field 'url'"),
        ({"mask": "/etc/passwd"}, "mask is a file"),
        ({"strength": "2"}, "strength is from 0"),
        ({"seed": "many"}, "seed cannot be 'many'"),
        ({"effort": "huge"}, "effort cannot be 'huge'"),
        ({"format": "raw"}, "format cannot be 'raw': input should be 'jpeg', 'png'"),
        ({"quality": "0"}, "quality cannot be '0': input should be greater than or equal to 1"),
        ({"quality": "101"}, "quality cannot be '101'"),
        ({"region": "1,2"}, "four whole numbers"),
        ({"method": "sharpen"}, "no method named"),
        ({"set": "steps"}, "NAME=VALUE"),
        ({"photo": "text"}, "photo is a file"),
        ({"method": ["input", "map"]}, "twice"),
    ],
)
def test_wrong_fields(api, fields, words):
    answer = api.post("/v1/restore", files={"kernel": ("k", b"")} if "photo" in fields else files(), data=fields)
    assert answer.status_code == 422
    assert words in answer.json()["error"]["message"]


def test_format_that_cannot_hold_the_photo(api, tmp_path):
    Image.new("L", (8, 8)).save(tmp_path / "two.tif", save_all=True, append_images=[Image.new("L", (8, 8), 9)])
    form = {"method": "input", "format": "jpeg"}
    answer = api.post("/v1/restore", files=files((tmp_path / "two.tif").read_bytes()), data=form)
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "options")
    assert "cannot be written as JPEG" in answer.json()["error"]["message"]


def test_format_and_quality_are_those_of_the_command_line(api, run, make_photo):
    photo = make_photo()
    assert run("restore", photo, "-m", "input", "--strip-metadata", "--format", "jpeg", "--quality", "70").code == 0
    answer = api.post("/v1/restore", files=files(photo.read_bytes()), data={**FAST, "format": "jpeg", "quality": "70"})
    assert answer.content == photo.with_name("photo.unblur.jpg").read_bytes()
    assert answer.headers["content-type"] == "image/jpeg"


def test_not_a_form(api):
    assert api.post("/v1/restore", content=photo_bytes(), headers={"content-type": "image/png"}).status_code == 415
    assert api.post("/v1/restore", files={"kernel": ("k", b"")}).json()["error"]["code"] == "options"


def test_methods_are_those_of_the_library(api):
    listed = {item["name"]: item for item in api.get("/v1/methods").json()}
    assert set(listed) == set(unblur.list_methods())
    assert [name for name, item in listed.items() if item["is_default"]] == ["auto"]
    assert listed["map"]["settings"]["properties"]["prior"]["enum"]


def test_openapi_names_every_field(api):
    schema = api.get("/openapi.json").json()
    form = schema["paths"]["/v1/restore"]["post"]["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert set(form["properties"]) == {"photo", "kernel", "mask", *form_fields()}
    assert {"kernel", "mask"} & set(form_fields()) == set()
    assert form["properties"]["kernel_size"]["anyOf"][0]["type"] == "integer"


def test_health(api):
    assert api.get("/healthz").json() == {"status": "ok"}
    assert api.get("/readyz").status_code == 200


def test_client_against_a_server(server, tmp_path):
    photo = tmp_path / "photo.png"
    photo.write_bytes(photo_bytes())
    with unblur.Client(server.address) as client:
        answer = client.restore(photo, method="input")
        assert answer.image[:4] == b"\x89PNG"
        assert answer.method == "input"
        job = client.submit(photo.read_bytes(), method="slow-input", settings={"steps": 2, "nap": 0.1})
        states = list(client.follow(job.id))
        assert states[-1].status == "done"
        assert client.job(job.id).status == "done"
        assert client.result(job.id) == answer.image
        client.cancel(job.id)
        with pytest.raises(unblur.ServerError, match="no such job"):
            client.result(job.id)
        with pytest.raises(unblur.ImageError, match="not an image"):
            client.restore(b"nothing", method="input")
        with pytest.raises(unblur.UsageError, match="no method"):
            client.restore(photo, method="sharpen")
        assert {item["name"] for item in client.methods()} == set(unblur.list_methods())
    with unblur.Client("http://127.0.0.1:9") as client, pytest.raises(unblur.ServerError, match="cannot be reached"):
        client.methods()


def blocks(language: str) -> list[str]:
    text = (ROOT / "docs" / "server.md").read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)


@pytest.mark.slow
def test_lines_of_the_page_run(server, tmp_path, monkeypatch, capsys):
    """Each line of shell and Python, against a server with another port."""
    monkeypatch.chdir(tmp_path)
    Path("photo.jpg").write_bytes(photo_bytes((64, 48), form="JPEG"))
    assert blocks("sh")
    for block in blocks("sh"):
        script = block.replace("http://127.0.0.1:8765", server.address).replace("curl ", "curl --fail-with-body -sS ")
        subprocess.run(["bash", "-euc", script], check=True, timeout=280, stdout=subprocess.DEVNULL)
    assert Path("sharp.jpg").stat().st_size > 0
    assert blocks("python")
    for block in blocks("python"):
        exec(block.replace("unblur.Client()", f"unblur.Client('{server.address}')"), {})
    assert "done 1.0" in capsys.readouterr().out


def test_table_of_options_is_that_of_the_settings(run):
    text = (ROOT / "docs" / "server.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `--([\w-]+)` \| ([^|]+) \| ([^|]+) \|$", text, flags=re.MULTILINE)
    settings = describe_settings(ServerSettings)
    assert [help_text for _, _, help_text in rows] == [item.help for item in settings]
    for (flag, default, _), item in zip(rows, settings, strict=True):
        assert flag.replace("-", "_") in (item.name, item.name.removesuffix("s"))
        assert default in (
            str(item.default),
            f"{item.default}".removesuffix(".0"),
            "-",
            *map(str, ServerSettings.devices),
        )
    shown = run("serve", "--help").out.decode()
    assert all(f"--{flag}" in shown for flag, _, _ in rows)


def test_table_of_routes_is_that_of_the_api(api):
    text = (ROOT / "docs" / "server.md").read_text(encoding="utf-8")
    cells = re.findall(r"^\| (`(?:GET|POST|DELETE) [^|]+) \|", text, flags=re.MULTILINE)
    listed = {tuple(words.split()) for cell in cells for words in re.findall(r"`([^`]+)`", cell)}
    paths = api.get("/openapi.json").json()["paths"]
    ours = {(verb.upper(), path.replace("{job_id}", "{id}")) for path, verbs in paths.items() for verb in verbs}
    assert listed == ours | {("GET", "/openapi.json")}
