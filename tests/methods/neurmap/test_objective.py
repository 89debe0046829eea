import json
import math

import pytest
import torch

from planted import draw_picture
from unblur.backbones.dmphn import CENTRE
from unblur.errors import CheckpointError, SettingsError
from unblur.losses.objective import AdversarialObjective
from unblur.methods.neurmap.model import Neurmap
from unblur.methods.neurmap.motion import canonical
from unblur.methods.neurmap.motion_objective import MotionObjective, turn_to_best
from unblur.methods.neurmap.objective import NeurmapObjective
from unblur.methods.neurmap.pool import SharpPool
from unblur.methods.neurmap.presets import PRESETS
from unblur.methods.neurmap.reblur import offset_shares, reblur
from unblur.weights.safe_file import write_checkpoint
from unblur.weights.shipped import read_weights


def batch(size: int = 32, count: int = 1) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    names = ("blurry", "sharp", "unpaired_blurry", "unpaired_sharp")
    return {name: torch.rand(count, 3, size, size, generator=generator) for name in names}


@pytest.fixture(scope="module")
def objective() -> NeurmapObjective:
    torch.manual_seed(0)
    return NeurmapObjective()


def without_gradients(objective: NeurmapObjective) -> None:
    for player in objective.players.values():
        player.zero_grad(set_to_none=True)


def learners(objective: NeurmapObjective) -> set[str]:
    """The players that have gradients."""
    return {
        name
        for name, player in objective.players.items()
        if any(weight.grad is not None for weight in player.parameters())
    }


def test_each_player_learns_in_its_own_turn_alone(objective):
    assert isinstance(objective, AdversarialObjective)
    for name, terms in zip(objective.players, objective.turns(batch()), strict=True):
        without_gradients(objective)
        torch.stack([objective.term_weights[term] * value for term, value in terms.items()]).sum().backward()
        assert learners(objective) == {name}
    assert all(weight.requires_grad for weight in objective.parameters())


@pytest.mark.parametrize("preset", PRESETS)
def test_every_weighted_term_is_there(preset):
    objective = NeurmapObjective(preset)
    terms: dict[str, torch.Tensor] = {}
    for turn in objective.turns(batch()):
        terms |= turn
    assert set(terms) == set(objective.term_weights)
    assert terms["blurred_sharp"] == 0  # not in the paper: only where it is asked for
    assert all(value.ndim == 0 and value.isfinite() for value in terms.values())


def test_the_presets_are_those_of_paper_and_code():
    assert (PRESETS["paper"]["sharp"], PRESETS["paper"]["natural"]) == (1.0, 0.1)
    assert PRESETS["paper"]["restored_motion_smooth"] == 1.0
    assert (PRESETS["code"]["sharp"], PRESETS["code"]["natural"], PRESETS["code"]["reblur"]) == (0.5, 1.0, 100.0)
    assert "content" not in PRESETS["unpaired"]


def test_weights_can_be_changed():
    assert NeurmapObjective("paper", {"natural": 0.5}).term_weights["natural"] == 0.5
    with pytest.raises(SettingsError, match="have no term 'naturalness'"):
        NeurmapObjective("paper", {"naturalness": 0.5})


def test_terms_of_motion_are_those_of_the_formulas(objective):
    """Maps that are known instead of seen, through the real terms."""
    torch.manual_seed(1)
    samples = batch(16)
    half = objective._join(samples)
    restored = half.blurry * 0.9
    terms = objective._of_motion(half, restored)
    with torch.no_grad():
        of_blurry, of_sharp, of_restored = map(objective.network.see, (half.blurry, half.sharp, restored))
        relative = of_blurry - of_restored
        offsets = torch.stack([20 * share * relative for share in offset_shares()], 1)
        smooth = offsets.diff(dim=3).abs().mean() + offsets.diff(dim=4).abs().mean()
        longer = (of_restored.square().sum(1).sqrt() - of_blurry.square().sum(1).sqrt()).clamp(min=0)
    expected = {
        "motion_of_blurry": (of_blurry.abs() - 1).abs().mean(),
        "motion_of_restored": (of_restored - of_blurry).abs().mean(),
        "motion_of_sharp": of_sharp.abs().mean(),
        "motion_hinge": longer.mean(),
        "motion_smooth": smooth,
        "motion_size": offsets.square().mean(),
    }
    for name, value in expected.items():
        assert float(terms[name].detach()) == pytest.approx(float(value), rel=1e-4, abs=1e-7), name


def test_the_motion_network_learns_on_pairs_before(tmp_path):
    """Its weights start NeurMAP's own, and its terms are those of NeurMAP with the sharp photo as the answer."""
    torch.manual_seed(0)
    before, samples = MotionObjective(), batch(16)
    terms = before(samples)
    assert set(before.term_weights) - {"motion_known"} < set(terms)
    assert terms.pop("motion_turn") >= 0
    write_checkpoint(tmp_path / "motion.safetensors", before.network.state_dict(), before.metadata())
    after = NeurmapObjective("unpaired", motion_weights=str(tmp_path / "motion.safetensors"))
    half = after._join({"unpaired_blurry": samples["blurry"], "unpaired_sharp": samples["sharp"]})
    again = after._of_motion(half, half.sharp)
    assert {name: float(value.detach()) for name, value in again.items()} == pytest.approx(
        {name: float(value.detach()) for name, value in terms.items()}
    )
    scores = before.evaluate(samples)
    assert {name: tuple(value.shape) for name, value in scores.items()} == {
        "reblurred_psnr": (1,),
        "reblurred_gain": (1,),
    }
    [picture] = before.pictures(samples).values()
    assert picture.shape == (1, 3, 16, 48)


def test_known_lines_are_learned_up_to_their_sign():
    torch.manual_seed(0)
    objective, samples = MotionObjective(), batch(16)
    seen = 40 * canonical(objective.network(samples["blurry"])).detach().flip(1)
    for lines in (seen, -seen):
        [term] = objective(samples | {"lines": lines}).items()
        assert term[0] == "motion_known"
        assert float(term[1].detach()) < 2e-3
        assert objective.evaluate(samples | {"lines": lines})["motion_missed"] < 0.1
    [(_, far)] = objective(samples | {"lines": seen + 40 * torch.tensor([3.0, 4.0]).view(1, 2, 1, 1)}).items()
    assert float(far.detach()) == pytest.approx(5.0, rel=0.05)
    far.backward()
    assert all(weight.grad.isfinite().all() for weight in objective.network.parameters() if weight.grad is not None)


@pytest.mark.parametrize("angle", [-60.0, 0.0, 50.0])
def test_a_motion_is_turned_to_the_direction_that_explains_the_photo(angle):
    def motion(degrees):
        line = torch.tensor([math.sin(math.radians(degrees)), math.cos(math.radians(degrees))])
        return 0.4 * line.view(1, 2, 1, 1).expand(1, 2, 64, 64)

    sharp = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(3))
    samples = {"blurry": reblur(sharp, motion(angle)), "sharp": sharp}
    inside = (..., slice(20, -20), slice(20, -20))
    for guess, first in ((angle, 0.2), (angle + 90, math.radians(angle % 45))):
        turned = turn_to_best(canonical(motion(guess)), samples, first)
        torch.testing.assert_close(turned[inside], canonical(motion(angle))[inside])


def test_a_start_that_leaves_photos_alone():
    photo = batch(16)["blurry"]
    assert torch.allclose(NeurmapObjective("unpaired", start="identity").network(photo), photo, atol=1e-6)
    with pytest.raises(SettingsError, match="only a DMPHN"):
        NeurmapObjective(deblurring="mprnet", start="identity")


class Marks(torch.nn.Module):
    """A discriminator that knows what it is shown: bright photos are natural."""

    def forward(self, image):
        mark = (image.mean((1, 2, 3), keepdim=True) > 0.5).to(image)
        return mark, mark


def test_perfect_marks_cost_nothing(objective):
    half = objective._join({name: torch.full((1, 3, 16, 16), 0.9) for name in batch()})
    knowing = NeurmapObjective()
    knowing.discriminator = Marks()
    assert knowing._of_discriminator(half, torch.zeros_like(half.blurry)) == 0
    assert knowing._of_discriminator(half, half.blurry) == 2


@pytest.mark.parametrize(("natural", "expected"), [("both", 2 * 0.5), ("sharp", 0.0)])
def test_what_counts_as_natural(natural, expected):
    """Dark blurry photos at odd places are taken for unnatural, if they are shown at all."""
    objective = NeurmapObjective(natural=natural)
    objective.discriminator = Marks()
    shades = {"blurry": 0.1, "sharp": 0.9, "unpaired_blurry": 0.1, "unpaired_sharp": 0.9}
    half = objective._join({name: torch.full((1, 3, 16, 16), shade) for name, shade in shades.items()})
    assert objective._of_discriminator(half, torch.zeros_like(half.blurry)) == expected


def test_the_pool_keeps_the_newest():
    pool = SharpPool(size=3)
    assert pool.mean().tolist() == [0, 0]
    for value in (1.0, -2.0, 3.0, 4.0, 5.0):
        pool.push(torch.full((1, 2, 4, 4), value))
    assert int(pool.count) == 3
    assert pool.mean().tolist() == [4.0, 4.0]
    pool.push(torch.arange(1.0, 8.0).view(7, 1, 1, 1).expand(7, 2, 4, 4))
    assert int(pool.count) == 3
    assert pool.mean().tolist() == [6.0, 6.0]
    other = SharpPool(size=3)
    other.load_state_dict(pool.state_dict())
    assert other.mean().tolist() == [6.0, 6.0]


def test_evaluation(objective):
    scores = objective.evaluate(batch(count=2))
    assert {name: tuple(value.shape) for name, value in scores.items()} == {
        "motion_left": (2,),
        "psnr": (2,),
        "gain": (2,),
    }
    unpaired = NeurmapObjective("unpaired")
    alone = {name: value for name, value in batch().items() if name.startswith("unpaired")}
    assert set(unpaired.evaluate(alone)) == {"motion_left"}
    [picture] = unpaired.pictures(alone).values()
    assert picture.shape == (1, 3, 32, 96)


def test_the_exported_file_says_which_networks(objective):
    config = json.loads(objective.metadata()["arch_config"])
    assert config == {"deblurring": "dmphn-1-2-4", "centred": True}


def test_sharp_photos_are_blurred_along_the_motion_of_others_and_restored():
    torch.manual_seed(0)
    objective = NeurmapObjective("unpaired", {"blurred_sharp": 1.0}, motion_weights="neurmap", start="identity")
    scene = draw_picture(64, 64, seed=1).expand(-1, 3, -1, -1)
    half = objective._join(
        {"unpaired_blurry": scene, "unpaired_sharp": draw_picture(64, 64, seed=2).expand(-1, 3, -1, -1)}
    )
    assert float(objective._of_blurred_sharp(half).detach()) == pytest.approx(0, abs=1e-4)  # as blurred as before
    objective._of_blurred_sharp(half).backward()
    assert learners(objective) == {"deblurring"}

    class Knowing(torch.nn.Module):
        def forward(self, _):
            return half.sharp - CENTRE

    objective.network.deblurring = Knowing()
    assert float(objective._of_blurred_sharp(half)) < -1


@pytest.mark.parametrize(("fixed", "turns"), [(["motion"], 2), (["motion", "discriminator"], 1)])
def test_fixed_players_take_no_turn(fixed, turns):
    torch.manual_seed(0)
    objective = NeurmapObjective("code", fixed=fixed)
    assert len(list(objective.turns(batch(16)))) == turns
    assert int(objective.pool.count) == 2  # of sharp photos, whose motion G is to reach
    for terms in objective.turns(batch(16)):
        torch.stack([objective.term_weights[name] * value for name, value in terms.items()]).sum().backward()
    assert learners(objective) == {"motion", "discriminator", "deblurring"} - set(fixed)


def test_both_networks_start_from_what_ships():
    shipped = read_weights("neurmap").tensors
    objective = NeurmapObjective("unpaired", deblurring="golf", deblurring_weights="neurmap", motion_weights="neurmap")
    state = objective.network.state_dict()
    assert all(torch.equal(value, shipped[name].float()) for name, value in state.items())
    alone = MotionObjective(start_weights="neurmap").network.state_dict()
    assert all(torch.equal(alone[name], shipped[f"motion.{name}"].float()) for name in alone)
    with pytest.raises(CheckpointError, match="expected MotionNet"):
        MotionObjective(start_weights="golf")


def test_pairs_validate_a_training_without_pairs():
    unpaired = NeurmapObjective("unpaired")
    pair = {name: value for name, value in batch().items() if not name.startswith("unpaired")}
    assert set(unpaired.evaluate(pair)) == {"motion_left", "psnr", "gain"}
    [picture] = unpaired.pictures(pair).values()
    assert picture.shape == (1, 3, 32, 96)


@pytest.mark.parametrize("kind", ["dmphn-1-2-4", "dmphn-1-2-4-8", "mprnet"])
def test_any_deblurring_network(kind):
    torch.manual_seed(0)
    network = Neurmap(kind).requires_grad_(False)
    image = batch(16)["blurry"]
    answer = network(image)
    own = network.deblurring(image).third if kind == "mprnet" else network.deblurring(image - CENTRE) + CENTRE
    assert torch.equal(answer, own)
