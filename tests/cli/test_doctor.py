"""What `unblur doctor` says of an installation, and of a broken one."""

import json

import pytest
import torch

from unblur.errors import CheckpointError
from unblur.system.extras import EXTRAS
from unblur.weights.public import public_weights
from unblur.weights.shipped import shipped


def test_says_what_is_here_as_json(run, tmp_path, monkeypatch):
    monkeypatch.setenv("UNBLUR_WEIGHTS_CACHE", str(tmp_path))
    ran = run("doctor", "--json")
    found = json.loads(ran.out)
    assert ran.code == 0
    assert found["problems"] == []
    assert found["versions"]["torch"] == torch.__version__
    assert found["versions"]["libvips"].startswith("8.")
    assert found["device"].startswith(("cpu", "cuda"))
    assert set(found["extras"]) == {extra for _, extra in EXTRAS.values()}
    assert found["weights"] == dict.fromkeys(shipped(), "ships") | dict.fromkeys(public_weights(), "not downloaded")
    assert found["cache"] == str(tmp_path)


def test_names_the_line_that_installs_what_is_missing(run, monkeypatch):
    monkeypatch.setattr("unblur.cli.doctor.find_spec", lambda module: None if module == "rawpy" else module)
    monkeypatch.setattr("unblur.cli.doctor.shutil.which", lambda name: None)
    extras = json.loads(run("doctor", "--json").out)["extras"]
    assert extras["raw"] == {"missing": ["rawpy"], "install": 'pip install "unblur[raw]"'}
    assert extras["heif"] == {"missing": [], "install": None}
    lines = run("doctor").out.decode().splitlines()
    assert any(
        line.split() == ["extra", "raw", "without", "rawpy;", "pip", "install", '"unblur[raw]"'] for line in lines
    )
    assert any("ffmpeg" in line and "missing; for videos" in line for line in lines)


def test_something_broken_is_said_and_counts(run, monkeypatch):
    def fail(*_: object) -> None:
        raise CheckpointError("the weights maxim: the file has changed")

    monkeypatch.setattr("unblur.weights.cache.find_cached", fail)
    monkeypatch.setattr("unblur.weights.shipped.is_whole", lambda entry: entry.name != "golf")
    ran = run("doctor")
    assert ran.code == 1
    said = " ".join(ran.out.decode().split())
    assert "problem: the weights golf are not the ones that ship; install unblur anew" in said
    assert "problem: the weights maxim: the file has changed" in said


@pytest.mark.parametrize("name", list(shipped()))
def test_weights_that_ship_are_whole(name, tmp_path):
    from unblur.weights.shipped import Weights, is_whole

    entry = shipped()[name]
    assert is_whole(entry)
    (tmp_path / "cut").write_bytes(entry.path.read_bytes()[:-1])
    assert not is_whole(Weights(name, tmp_path / "cut", entry.sha256))
    assert not is_whole(Weights(name, tmp_path / "gone", entry.sha256))
