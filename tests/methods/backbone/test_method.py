from itertools import pairwise

import pytest
import torch
from torch import Tensor

from unblur.backbones.dmphn import CENTRE, dmphn_1_2_4, dmphn_1_2_4_8
from unblur.backbones.mprnet import mprnet
from unblur.backbones.nafnet import nafnet_32
from unblur.blur.borders import Padding, pad_reflect
from unblur.errors import Cancelled, CheckpointError
from unblur.methods.apply import restore_tensor
from unblur.methods.loading import load_method
from unblur.methods.options import RestoreOptions
from unblur.weights.checkpoint import Checkpoint, read_checkpoint
from unblur.weights.safe_file import write_checkpoint


@pytest.fixture(autouse=True)
def any_answer_is_taken(monkeypatch):
    """Untrained networks and tiny photos give answers that no photo could have."""
    monkeypatch.setattr("unblur.methods.pipeline.is_too_small", lambda blurry: False)
    monkeypatch.setattr("unblur.methods.pipeline.keep_plausible", lambda blurry, restored: (restored, ()))


EXACT = {"precision": "float32"}


def stored(network: torch.nn.Module, name: str = "untrained") -> Checkpoint:
    return Checkpoint(name, network.state_dict())


def picture(height: int, width: int, count: int = 1) -> Tensor:
    return torch.rand(count, 3, height, width, generator=torch.Generator().manual_seed(5))


@pytest.fixture(scope="module")
def dmphn():
    torch.manual_seed(0)
    return dmphn_1_2_4().requires_grad_(False)


@pytest.fixture(scope="module")
def nafnet():
    torch.manual_seed(0)
    return nafnet_32().requires_grad_(False)


@pytest.mark.parametrize("centred", [True, False])
def test_dmphn_centres_and_pads(dmphn, centred):
    blurry = picture(13, 30)
    padded = pad_reflect(blurry, Padding(0, 2, 0, 3))
    centre = CENTRE if centred else 0.0
    expected = (dmphn(padded - centre) + centre)[..., :13, :30].clamp(0, 1)
    method = load_method("dmphn", {**EXACT, "centred": centred}, stored(dmphn))
    assert torch.allclose(restore_tensor(blurry, method, RestoreOptions()).image, expected, atol=1e-5)


def test_four_levels_are_told_by_the_weights():
    torch.manual_seed(0)
    network = dmphn_1_2_4_8().requires_grad_(False)
    blurry = picture(16, 32)
    answer = restore_tensor(blurry, load_method("dmphn", EXACT, stored(network)), RestoreOptions()).image
    assert torch.allclose(answer, (network(blurry - CENTRE) + CENTRE).clamp(0, 1), atol=1e-5)


def test_mprnet_answers_with_its_last_stage():
    torch.manual_seed(0)
    network = mprnet().requires_grad_(False)
    blurry = picture(8, 16)
    answer = restore_tensor(blurry, load_method("mprnet", EXACT, stored(network)), RestoreOptions()).image
    assert torch.allclose(answer, network(blurry).third.clamp(0, 1), atol=1e-5)


@pytest.mark.parametrize("pooling", ["local", "global"])
def test_nafnet_pools_as_it_is_told(nafnet, pooling):
    method = load_method("nafnet", {**EXACT, "pooling": pooling}, stored(nafnet))
    windows = {getattr(module, "window", None) for module in method._network._network.modules()} - {None}
    assert windows == ({384, 192, 96, 48, 24} if pooling == "local" else set())


def test_tiles_have_no_seams(nafnet):
    """A new NAFNet sees a pixel beyond its own block of 16x16, so tiles of whole blocks answer as the photo does."""
    method = load_method("nafnet", EXACT, stored(nafnet))
    blurry = picture(24, 330)
    whole = restore_tensor(blurry, method, RestoreOptions()).image
    assert not torch.allclose(whole, blurry, atol=0.01)
    assert torch.allclose(restore_tensor(blurry, method, RestoreOptions(tile=160)).image, whole, atol=1e-5)


def test_precision(dmphn):
    blurry = picture(32, 40)
    answers = {}
    for precision in ("float32", "bfloat16"):
        answer = restore_tensor(blurry, load_method("dmphn", {"precision": precision}, stored(dmphn)), RestoreOptions())
        assert answer.facts["precision"] == precision
        answers[precision] = answer.image
    difference = (answers["bfloat16"] - answers["float32"]).abs()
    assert 0 < difference.mean() < 1 / 255


def test_float64_stays_float64(dmphn):
    answer = restore_tensor(picture(8, 8).double(), load_method("dmphn", {}, stored(dmphn)), RestoreOptions())
    assert answer.facts["precision"] == "float64"
    assert answer.image.dtype == torch.float64


def test_progress_is_told_after_each_convolution_and_can_stop_it(dmphn):
    seen = []

    def stop_late(step):
        seen.append(step.fraction)
        if step.fraction > 0.5:
            raise Cancelled

    method = load_method("dmphn", EXACT, stored(dmphn))
    with pytest.raises(Cancelled):
        restore_tensor(picture(32, 32), method, RestoreOptions(), stop_late)
    assert len(seen) > 20
    assert max(b - a for a, b in pairwise(seen)) < 0.1


def part_of_dmphn():
    return stored(dmphn_1_2_4().get_submodule("encoder_lv1"), "encoder_lv1.pkl")


def a_level_short():
    tensors = {name: value for name, value in dmphn_1_2_4().state_dict().items() if "lv3" not in name}
    return Checkpoint("short", tensors)


def narrow_nafnet():
    return Checkpoint("narrow", {name: value for name, value in nafnet_32().state_dict().items() if "beta" not in name})


@pytest.mark.parametrize(
    ("name", "weights", "told"),
    [
        (
            "dmphn",
            part_of_dmphn,
            "is one encoder or decoder of DMPHN; name the folder that holds all of them, or join them",
        ),
        ("dmphn", a_level_short, r"is DMPHN \(1-2\), expected DMPHN \(1-2-4\); 60 missing, first: 'encoder_lv3.layer1"),
        (
            "dmphn",
            lambda: stored(mprnet()),
            r"is MPRNet \(width 96\), expected DMPHN \(1-2-4\); 180 missing, 316 extra",
        ),
        ("mprnet", lambda: stored(dmphn_1_2_4()), r"is DMPHN \(1-2-4\), expected MPRNet for deblurring \(width 96\)"),
        ("nafnet", narrow_nafnet, r"expected NAFNet for deblurring \(width 32, .*\); 36 missing, first: 'encoders"),
    ],
)
def test_weights_of_another_network(name, weights, told):
    with pytest.raises(CheckpointError, match=told):
        load_method(name, weights=weights())


def test_parts_are_joined_by_the_command(dmphn, run, tmp_path):
    parts = []
    for name, part in dmphn.named_children():
        parts.append(tmp_path / f"{name}.pkl")
        torch.save(part.state_dict(), parts[-1])
    joined = tmp_path / "dmphn.safetensors"
    ran = run("weights", "convert", *parts, joined)
    assert ran.code == 0
    assert "180 tensors, dmphn" in ran.err
    tensors = read_checkpoint(joined).tensors
    assert all(torch.equal(tensors[name], value) for name, value in dmphn.state_dict().items())
    load_method("dmphn", weights=joined)


def test_command(dmphn, make_photo, run, tmp_path):
    weights = tmp_path / "dmphn.safetensors"
    write_checkpoint(weights, dmphn.state_dict(), {})
    photo = make_photo(size=(20, 17))
    assert run("restore", photo, "--method", "dmphn", "--weights", weights).code == 0
    assert photo.with_suffix(".unblur.png").exists()
