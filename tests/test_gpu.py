"""What runs on a GPU gives what the processor gives.

`UNBLUR_TEST_DEVICE=cpu make test-gpu` runs the same functions on the processor: a check of the tests
themselves, for machines without a GPU.
"""

import os
from dataclasses import replace

import pytest
import torch
import yaml

from conftest import ROOT
from planted import Planted, plant, shake, shifted_psnr
from small_recipes import make_photos, make_small
from unblur.methods.apply import restore_tensor
from unblur.methods.base import Restoration
from unblur.methods.catalog import CATALOG, find_entry, settings_class_of
from unblur.methods.options import RestoreOptions
from unblur.methods.settings import describe_settings
from unblur.training import load_recipe, train
from unblur.weights.checkpoint import read_checkpoint
from untrained import load_any

DEVICE = os.environ.get("UNBLUR_TEST_DEVICE", "cuda")
pytestmark = [
    pytest.mark.gpu,
    pytest.mark.timeout(600),
    pytest.mark.skipif(DEVICE == "cuda" and not torch.cuda.is_available(), reason="torch finds no CUDA device"),
]
FITTED = ("selfdeblur", "kernel-space")
SETTINGS = {name: {item.name for item in describe_settings(settings_class_of(name))} for name in CATALOG}


@pytest.fixture(scope="module")
def photo() -> Planted:
    return plant(shake(9, 3), (96, 96))


def restored(name: str, photo: Planted, device: str, **settings: object) -> Restoration[torch.Tensor]:
    """The answer of a method with few steps, on the processor again; its encoding and kernel size are given."""
    if name in FITTED:
        settings = {"preset": "smoke", "steps": 3} | settings
    if "precision" in SETTINGS[name]:
        settings = {"precision": "float32"} | settings
    known = photo.kernel[0, 0].numpy() if name == "known-kernel" else None
    options = RestoreOptions(kernel=known, kernel_size=None if known is not None else 9, encoding="encoded")
    blurry = photo.blurry.expand(-1, 3, -1, -1).to(device)
    answer = restore_tensor(blurry, load_any(name, **settings), options.limited_to(find_entry(name).uses))
    assert answer.image.device == blurry.device
    return replace(answer, image=answer.image.cpu())


@pytest.mark.parametrize("name", CATALOG)
def test_a_method_answers_as_on_the_processor(name, photo):
    """Sums in another order and TF32 cost a level of 8 bits; a search may take another path to as good an answer."""
    here, there = (restored(name, photo, device) for device in ("cpu", DEVICE))
    if find_entry(name).role == "kernel estimator" and name not in FITTED:
        scores = [shifted_psnr(answer.image[:, :1], photo.sharp, 12) for answer in (here, there)]
        assert scores[1] == pytest.approx(scores[0], abs=0.5)
    else:
        assert (here.image - there.image).abs().mean() < 1 / 255
    assert (here.kernel is None) == (there.kernel is None)
    assert (here.motion_field is None) == (there.motion_field is None)


@pytest.mark.parametrize("name", [name for name in CATALOG if "precision" in SETTINGS[name]])
def test_half_precision_stays_near_single_precision(name, photo):
    single, half = (restored(name, photo, DEVICE, precision=kind).image for kind in ("float32", "bfloat16"))
    assert (single - half).abs().mean() < 4 / 255
    assert not torch.equal(single, half), "the setting has an effect"


@pytest.mark.parametrize("recipe", ["dublid/smoke", "golf/smoke", "kernel_space/smoke", "neurmap/smoke"])
@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
def test_training_steps_are_those_of_the_processor(recipe, precision, tmp_path):
    if recipe.startswith("dublid") and precision != "32-true":
        pytest.skip("DUBLID trains in single precision: its transforms have no half precision")
    text = (ROOT / "recipes" / f"{recipe}.yaml").read_text(encoding="utf-8")
    plain = make_small(make_photos(tmp_path), yaml.safe_load(text))
    plain["trainer"]["precision"] = precision
    weights = []
    for device in ("cpu", DEVICE):
        plain["trainer"]["accelerator"] = "gpu" if device == "cuda" else "cpu"
        path = tmp_path / f"{len(weights)}.yaml"
        path.write_text(yaml.safe_dump(plain), encoding="utf-8")
        outcome = train(load_recipe(path), tmp_path / f"run{len(weights)}", say=lambda _: None, warn=lambda _: None)
        assert outcome.step == 2
        weights.append(read_checkpoint(outcome.weights).tensors)
    for name, weight in weights[0].items():
        if weight.is_floating_point():
            spread = float(weight.float().abs().mean()) + 1e-3
            assert float((weight - weights[1][name]).float().abs().mean()) < 0.05 * spread, name


def test_a_benchmark_runs_on_the_device_and_names_it(run, tmp_path, data_folder, monkeypatch):
    monkeypatch.setenv("UNBLUR_DATA", str(data_folder))
    out = tmp_path / "run"
    words = ("benchmark", "levin", "--method", "dublid", "--limit", "1", "--device", DEVICE, "--out", out)
    ran = run(*words)
    assert ran.code == 0, ran.err
    summary = yaml.safe_load((out / "summary.json").read_text(encoding="utf-8"))
    assert summary["device"].startswith(DEVICE)
    assert summary["gain"] > 0
