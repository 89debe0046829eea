"""What DUBLID is trained for: the shift between kernels, the loss under it, and training itself."""

from importlib import resources

import pytest
import torch

from unblur.blur.convolve import convolve
from unblur.blur.kernels import linear_kernel
from unblur.errors import CheckpointError
from unblur.losses.objective import Objective
from unblur.methods.dublid.model import Estimate, move
from unblur.methods.dublid.objective import DublidObjective, kernel_shift
from unblur.weights.checkpoint import read_checkpoint


def test_it_is_an_objective():
    assert isinstance(DublidObjective(kernel_size=9), Objective)


def test_the_shift_between_kernels_is_found():
    true = linear_kernel(9, 40, size=25).repeat(3, 1, 1, 1)
    shift = torch.tensor([[0, 0], [3, -2], [-5, 4]])
    assert torch.equal(kernel_shift(move(true, shift), true, limit=8), shift)


def test_a_shift_beyond_the_limit_is_not_followed():
    true = linear_kernel(5, 0, size=25)
    assert int(kernel_shift(move(true, torch.tensor([[0, 6]])), true, limit=2).abs().max()) <= 2


def test_moving_fills_with_zero_and_loses_nothing_else():
    image = torch.arange(12.0).view(1, 1, 3, 4) + 1
    moved = move(image, torch.tensor([[1, -2]]))
    assert torch.equal(moved[0, 0, 1:, :2], image[0, 0, :2, 2:])
    assert float(moved[0, 0, 0].abs().sum() + moved[0, 0, :, 2:].abs().sum()) == 0


def test_the_truth_moved_by_any_shift_costs_nothing(monkeypatch):
    """Kernel further right, image further left: the blurry image is the same, and so must be the loss."""
    torch.manual_seed(0)
    wide = torch.rand(1, 1, 60, 60)
    kernel = linear_kernel(7, 20, size=15)
    margin = 4
    sharp = wide[..., 6:-6, 6:-6]
    for shift in (torch.tensor([[0, 0]]), torch.tensor([[2, -3]]), torch.tensor([[-4, 4]])):
        moved_kernel = move(kernel, shift)
        image = move(wide, -shift)[..., 10:-10, 10:-10]
        blurry = convolve(wide, kernel, "replicate")
        again = convolve(move(wide, -shift), moved_kernel, "replicate")
        torch.testing.assert_close(blurry[..., 20:-20, 20:-20], again[..., 20:-20, 20:-20])
        objective = DublidObjective(kernel_size=15)
        monkeypatch.setattr(objective.network, "forward", lambda _, i=image, k=moved_kernel: Estimate(i, k, ()))
        batch = {"blurry": sharp[..., margin:-margin, margin:-margin], "sharp": sharp, "kernel": kernel}
        terms = objective(batch)
        assert float(terms["image"]) == 0
        assert float(terms["kernel"]) < 1e-12


def test_relative_errors_are_the_gain_and_the_share_of_the_kernel_that_is_wrong(monkeypatch):
    kernel = linear_kernel(7, 20, size=15)
    sharp = torch.rand(1, 1, 40, 40, generator=torch.Generator().manual_seed(0))
    blurry = convolve(sharp, kernel, "replicate")[..., 4:-4, 4:-4]
    batch = {"blurry": blurry, "sharp": sharp, "kernel": kernel}
    objective = DublidObjective(kernel_size=15, errors="relative", kernel_weight=2.0)
    halfway = (blurry + sharp[..., 4:-4, 4:-4]) / 2
    for image, found, expected in [(blurry, kernel, (0, 0)), (halfway, kernel / 2, (-2 * 0.6931, 0.25))]:
        monkeypatch.setattr(objective.network, "forward", lambda _, i=image, k=found: Estimate(i, k, ()))
        terms = objective(batch)
        assert abs(float(terms["image"]) - expected[0]) < 0.01
        assert abs(float(terms["kernel"]) - expected[1]) < 1e-4
    assert objective.term_weights == {"image": 0.5, "kernel": 1.0}


def test_a_few_steps_lower_the_loss_and_bring_the_kernel_of_a_sharp_photo_to_an_impulse():
    from planted import draw_picture

    torch.manual_seed(0)
    objective = DublidObjective(kernel_size=9, frame_multiple=2)
    sharp = draw_picture(56, 56)
    impulse = linear_kernel(1, 0, size=9)
    batch = {"blurry": sharp[..., 4:-4, 4:-4], "sharp": sharp, "kernel": impulse}
    optimiser = torch.optim.Adam(objective.parameters(), lr=3e-3)
    losses = []
    for _ in range(12):
        terms = objective(batch)
        loss = sum(objective.term_weights[name] * term for name, term in terms.items())
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        objective.project()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.7 * losses[0]
    with torch.no_grad():
        assert float(objective.network(batch["blurry"]).kernel.max()) > 0.5


def test_scores_and_pictures_have_the_promised_shapes():
    objective = DublidObjective(kernel_size=9, frame_multiple=2, border=4)
    batch = {
        "blurry": torch.rand(2, 1, 32, 32),
        "sharp": torch.rand(2, 1, 40, 40),
        "kernel": linear_kernel(5, 0, size=9).repeat(2, 1, 1, 1),
    }
    scores = objective.evaluate(batch)
    assert {"psnr", "gain", "kernel_rmse"} == set(scores)
    assert all(score.shape == (2,) for score in scores.values())
    pictures = objective.pictures(batch)
    assert pictures["images"].shape == (2, 1, 32, 96)
    assert pictures["kernels"].shape == (2, 1, 18, 9)


def test_filters_can_be_kept_small():
    objective = DublidObjective(kernel_size=9, filter_weight=0.01)
    batch = {
        "blurry": torch.rand(1, 1, 16, 16),
        "sharp": torch.rand(1, 1, 18, 18),
        "kernel": linear_kernel(5, 0, size=9),
    }
    expected = torch.cat([bank.flatten() for bank in objective.network.weight_list]).square().mean()
    torch.testing.assert_close(objective(batch)["filters"], expected)


def test_training_goes_on_from_given_weights():
    shipped = resources.files("unblur.weights") / "dublid-linear.safetensors"
    with resources.as_file(shipped) as file:
        objective = DublidObjective(start_weights=str(file))
        weights = read_checkpoint(file).tensors
    assert all(torch.equal(tensor, weights[name]) for name, tensor in objective.network.state_dict().items())


def test_weights_of_another_network_are_refused():
    with (
        resources.as_file(resources.files("unblur.weights") / "golf.safetensors") as file,
        pytest.raises(CheckpointError, match=r"is Golf Optimizer .* expected DUBLID"),
    ):
        DublidObjective(start_weights=str(file))
