"""`unblur blur --kind learned`, with networks that have not learned anything."""

import json

import numpy as np
import pytest
import torch

import data_trees as trees
from unblur.images.files import read_image
from unblur.methods.kernel_space.filters import reduced_kernel_space
from unblur.weights.safe_file import write_checkpoint


def weights_at(path, *, variational: bool):
    torch.manual_seed(0)
    network = reduced_kernel_space(signed=True, variational=variational)
    config = {"size": "reduced", "signed": True, "variational": variational, "window": 128}
    write_checkpoint(path, network.state_dict(), {"arch": "kernel-space", "arch_config": json.dumps(config)})
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("learned")
    for variational in (False, True):
        weights_at(folder / f"{'variational' if variational else 'plain'}.safetensors", variational=variational)
    for n, name in enumerate(("photos/a.png", "photos/b.png", "blurry.png", "sharp.png")):
        trees.save(folder / name, trees.photo(72, 80, 3, n))
    trees.save(folder / "small.png", trees.photo(20, 20, 3, 0))
    return folder


def test_the_blur_of_a_pair_for_other_photos(run, folder, tmp_path):
    source = [folder / "blurry.png", folder / "sharp.png"]
    words = ["--kind", "learned", "--from", *source, "--weights", folder / "plain.safetensors"]
    ran = run("blur", folder / "photos", "-o", tmp_path / "out", *words)
    assert ran.code == 0, ran.err
    lines = [json.loads(line) for line in (tmp_path / "out" / "manifest.jsonl").read_text().splitlines()]
    assert [(line["name"], line["kind"], line["size"]) for line in lines] == [
        ("a", "learned", [80, 72]),
        ("b", "learned", [80, 72]),
    ]
    assert lines[0]["blur"]["blurry"].endswith("blurry.png")
    blurry, sharp = (read_image(tmp_path / "out" / part / "a.png").pixels for part in ("blurry", "sharp"))
    assert blurry.shape == sharp.shape
    assert not np.array_equal(blurry, sharp)


def test_invented_blur(run, folder, tmp_path):
    words = ["--kind", "learned", "--sample", "--weights", folder / "variational.safetensors", "--size", 40]
    ran = run("blur", folder / "photos" / "a.png", "-o", tmp_path / "out", *words, "--variants", 2)
    assert ran.code == 0, ran.err
    first, second = (read_image(tmp_path / f"out/blurry/a_0{number}.png").pixels for number in (1, 2))
    assert first.shape[:2] == (40, 40)
    assert not np.array_equal(first, second)


@pytest.mark.usefixtures("wrong_shapes")
@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--kind", "learned"], "--from BLURRY SHARP"),
        (["--kind", "shake", "--sample"], "are for --kind learned"),
        (["--kind", "learned", "--sample", "--set", "fog=1", "--weights", "plain"], "has no settings"),
        (["--kind", "learned", "--sample", "--weights", "plain"], "variational weights only"),
        (["--kind", "learned", "--from", "blurry.png", "small.png", "--weights", "plain"], "have one size"),
        (["--kind", "learned", "--from", "blurry.png", "none.png", "--weights", "plain"], "cannot be taken from"),
    ],
)
def test_wrong_use_is_one_sentence(run, folder, tmp_path, words, told):
    places = {name: folder / name for name in ("blurry.png", "small.png", "none.png")}
    places["plain"] = folder / "plain.safetensors"
    ran = run("blur", folder / "photos", "-o", tmp_path / "out", *(places.get(word, word) for word in words))
    assert ran.code == 2
    assert told in ran.errors[0]
    assert "Traceback" not in ran.err
