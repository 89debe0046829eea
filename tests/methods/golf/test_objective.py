import json

import pytest
import torch

from unblur.backbones.golf import GolfNet, first_shot
from unblur.losses.objective import Objective
from unblur.methods.golf.objective import FirstShotObjective, PuttObjective
from unblur.weights.safe_file import write_checkpoint
from unblur.weights.shipped import read_weights


def batch_of(count: int = 2, size: int = 32) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(5)
    sharp = torch.rand(count, 3, size, size, generator=generator)
    blurry = torch.nn.functional.avg_pool2d(sharp, 3, 1, 1)
    return {"blurry": blurry, "sharp": sharp}


def shake(module: torch.nn.Module) -> None:
    generator = torch.Generator().manual_seed(6)
    for parameter in module.parameters():
        parameter.data += 0.02 * torch.randn(parameter.shape, generator=generator)


@pytest.mark.parametrize("build", [FirstShotObjective, PuttObjective])
def test_is_what_training_asks_for(build):
    objective, batch = build(), batch_of()
    assert isinstance(objective, Objective)
    assert set(objective(batch)) == set(objective.term_weights) == {"content"}
    assert all(score.shape == (2,) for score in objective.evaluate(batch).values())
    [pictures] = objective.pictures(batch).values()
    assert pictures.shape[:3] == (2, 3, 32)
    assert 0 <= pictures.min() <= pictures.max() <= 1
    assert json.loads(objective.metadata()["arch_config"]) == {"skip": True, "unit_contrast": False}


def test_the_identity_gains_nothing():
    objective, batch = FirstShotObjective(), batch_of()
    scores = objective.evaluate(batch)
    assert torch.equal(scores["gain"], torch.zeros(2))
    assert torch.equal(scores["sharp_psnr"], torch.full((2,), 60.0))
    assert torch.allclose(objective(batch)["content"], (batch["blurry"] - batch["sharp"]).square().mean())


def test_log_content_weighs_each_image_by_its_own_error():
    batch = batch_of()
    batch["blurry"][1] = batch["sharp"][1]
    errors = (batch["blurry"] - batch["sharp"]).square().mean((1, 2, 3))
    assert torch.allclose(FirstShotObjective(content="log")(batch)["content"], (errors + 1e-3).log().mean())


def test_stage_2_is_the_mean_of_the_single_losses():
    objective, batch = PuttObjective(putts=5), batch_of()
    shake(objective.network)
    _, *latents = objective.network.iterates(batch["blurry"])
    single = [(latent - batch["sharp"]).square().mean() for latent in latents]
    assert len(single) == 5
    assert torch.allclose(objective(batch)["content"], torch.stack(single).mean())


def test_stage_2_leaves_the_first_shot_alone():
    objective = PuttObjective(putts=2)
    shake(objective.network)
    objective(batch_of())["content"].backward()
    assert all(weight.grad is None for weight in objective.network.first_shot.parameters())
    assert all(
        weight.grad is not None and weight.grad.abs().sum() > 0 for weight in objective.network.putt.parameters()
    )


def test_gradients_pass_through_all_putts():
    """The first of two putts gets a gradient from the second: with a detached iterate the sum would be another."""
    objective, batch = PuttObjective(putts=2), batch_of(1)
    shake(objective.network)
    objective(batch)["content"].backward()
    through = objective.network.putt.tail.weight.grad.clone()
    objective.zero_grad()
    latent, losses = objective.network.first_shot(batch["blurry"]), []
    for _ in range(2):
        latent = objective.network.putt(latent.detach())
        losses.append((latent - batch["sharp"]).square().mean())
    torch.stack(losses).mean().backward()
    assert not torch.allclose(through, objective.network.putt.tail.weight.grad, rtol=1e-3)


def test_stage_2_begins_with_the_weights_of_stage_1(tmp_path):
    trained = first_shot()
    shake(trained)
    write_checkpoint(tmp_path / "f.safetensors", trained.state_dict(), {"arch": "golf-first-shot"})
    network = PuttObjective(str(tmp_path / "f.safetensors")).network
    batch = batch_of()
    assert torch.equal(network.first_shot(batch["blurry"]), trained(batch["blurry"]))


def test_a_training_goes_on_from_the_first_shot_that_ships():
    shipped = {
        name.removeprefix("first_shot."): value
        for name, value in read_weights("golf").tensors.items()
        if name.startswith("first_shot.")
    }
    for network in (FirstShotObjective(start_weights="golf").network, first_of_both("golf")):
        assert network.unit_contrast
        assert all(torch.equal(value, shipped[name]) for name, value in network.state_dict().items())


def first_of_both(weights: str) -> GolfNet:
    return PuttObjective(first_shot_weights=weights).network.first_shot


def test_the_first_shot_learns():
    """Spec test: a few crops seen again and again; the error must fall clearly."""
    torch.manual_seed(0)
    objective, batch = FirstShotObjective(), batch_of(2, 24)
    optimiser = torch.optim.Adam(objective.parameters(), lr=1e-3)
    losses = []
    for _ in range(30):
        optimiser.zero_grad()
        loss = objective(batch)["content"]
        loss.backward()
        optimiser.step()
        losses.append(loss.detach())
    assert torch.stack(losses[-10:]).mean() < 0.9 * losses[0]
