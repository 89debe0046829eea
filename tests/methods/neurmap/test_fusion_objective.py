import pytest
import torch

from planted import draw_picture
from unblur.methods.loading import load_method
from unblur.methods.neurmap.fusion_objective import FusionObjective
from unblur.methods.options import RestoreOptions
from unblur.weights.checkpoint import read_checkpoint
from unblur.weights.safe_file import write_checkpoint


def batch(count: int = 1) -> dict[str, torch.Tensor]:
    sharp = draw_picture(96, 96).expand(count, 3, -1, -1).contiguous()
    return {"blurry": torch.nn.functional.avg_pool2d(sharp, 5, 1, 2, count_include_pad=False), "sharp": sharp}


@pytest.fixture(scope="module")
def objective() -> FusionObjective:
    torch.manual_seed(0)
    return FusionObjective(deblurring_weights="golf", motion_weights="neurmap")


def test_the_fusion_network_learns_alone(objective):
    objective(batch())["content"].backward()
    learning = {name for name, weight in objective.network.named_parameters() if weight.requires_grad}
    assert learning == {name for name, _ in objective.network.named_parameters() if name.startswith("fusion.")}
    assert objective.fusion.tail.weight.grad.abs().max() > 0


def test_a_few_steps_bring_it_nearer(objective):
    samples, losses = batch(), []
    optimizer = torch.optim.Adam(objective.fusion.parameters(), lr=1e-3)
    for _ in range(6):
        optimizer.zero_grad()
        loss = objective(samples)["content"]
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < losses[0] - 0.05


def test_its_networks_are_those_of_the_methods(objective):
    blurry = batch()["blurry"]
    first = next(load_method("golf", {"precision": "float32"}).iterates(blurry))
    assert torch.allclose(objective.network(blurry), first, atol=1e-4)


def test_what_is_exported_is_the_method(objective, tmp_path):
    place = tmp_path / "own.safetensors"
    write_checkpoint(place, objective.network.state_dict(), objective.metadata())
    method = load_method("neurmap", {"precision": "float32"}, read_checkpoint(place))
    *_, fused = objective._answers(batch()["blurry"])
    # Where nothing is to be gained, the steps of Adam have the sign of rounding.
    assert (method.restore(batch()["blurry"], RestoreOptions()).image - fused).abs().mean() < 3e-4
    assert FusionObjective(fusion_weights=str(place)).fusion.tail.weight.equal(objective.fusion.tail.weight)


def test_what_is_lost_against_the_network_alone(objective):
    """Sharp photos that the network leaves as they are, and a fusion that darkens them."""
    sharp = batch()["sharp"]
    still = {"blurry": sharp, "sharp": sharp}
    with torch.no_grad():
        before = objective(still)["harm"]
        objective.fusion.tail.bias -= 0.2
        after = objective(still)["harm"]
        objective.fusion.tail.bias += 0.2
    assert before < 0.1
    assert after > 0.5


def test_scores_of_each_answer(objective):
    scores = objective.evaluate(batch(2))
    assert set(scores) == {"gain_network", "gain_descent", "gain"}
    assert all(score.shape == (2,) for score in scores.values())
    (picture,) = objective.pictures(batch()).values()
    assert picture.shape == (1, 3, 96, 5 * 96)
