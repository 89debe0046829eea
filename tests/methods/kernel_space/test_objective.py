import json

import pytest
import torch

from unblur.errors import CheckpointError
from unblur.losses.objective import Objective
from unblur.methods.kernel_space.filters import reduced_kernel_space
from unblur.methods.kernel_space.model import PublishedSpace
from unblur.methods.kernel_space.objective import KernelSpaceObjective, begin_with
from unblur.weights.checkpoint import Checkpoint
from unblur.weights.safe_file import write_checkpoint


def batch_of(count: int = 2, size: int = 32) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(5)
    sharp = torch.rand(count, 3, size, size, generator=generator)
    return {"blurry": torch.nn.functional.avg_pool2d(sharp, 3, 1, 1), "sharp": sharp}


def objective_of(*, variational: bool = False) -> KernelSpaceObjective:
    torch.manual_seed(0)
    return KernelSpaceObjective("reduced", variational=variational)


@pytest.mark.parametrize("variational", [False, True])
def test_is_what_training_asks_for(variational):
    objective, batch = objective_of(variational=variational), batch_of()
    assert isinstance(objective, Objective)
    terms = objective(batch)
    assert set(terms) == set(objective.term_weights) == ({"blur", "divergence"} if variational else {"blur"})
    assert all(term.shape == () for term in terms.values())
    assert {name: score.shape for name, score in objective.evaluate(batch).items()} == dict.fromkeys(
        ("psnr", "gain", "lead", "code"), (2,)
    )
    [pictures] = objective.pictures(batch).values()
    assert pictures.shape == (2, 3, 32, 96)
    assert 0 <= pictures.min() <= pictures.max() <= 1
    assert json.loads(objective.metadata()["arch_config"]) == {
        "size": "reduced",
        "variational": variational,
        "signed": False,
        "window": 256,
    }


def test_terms_are_sums_over_the_batch():
    objective, batch = objective_of().eval(), batch_of()
    with torch.no_grad():
        reblurred, _ = objective.network(batch["sharp"], batch["blurry"])
        expected = ((reblurred - batch["blurry"]).square() + 1e-6).sqrt().sum()
        torch.testing.assert_close(objective(batch)["blur"], expected)


def test_the_divergence_is_that_of_the_codes():
    objective, batch = objective_of(variational=True).eval(), batch_of()
    assert objective.term_weights == {"blur": 1.0, "divergence": 10.0}
    with torch.no_grad():
        mean, sigma = objective.network.extract(batch["sharp"], batch["blurry"])
        variance = sigma.square()
        expected = (mean.square() + variance - (variance + 1e-8).log() - 1).sum()
        torch.testing.assert_close(objective(batch)["divergence"], expected)


def test_both_networks_learn_together():
    objective = objective_of()
    objective(batch_of())["blur"].backward()
    for name, part in objective.network.named_children():
        assert any(weight.grad is not None and weight.grad.any() for weight in part.parameters()), name


def test_scores_of_an_operator_that_changes_nothing():
    objective, batch = objective_of(), batch_of()
    objective.network = PublishedSpace(width=8, code=8, front=1, back=1, blocks=1)
    for weight in objective.network.recon_trunk[-1].parameters():
        weight.data.zero_()
    scores = objective.evaluate(batch)
    before = -10 * (batch["sharp"] - batch["blurry"]).square().mean((1, 2, 3)).log10()
    torch.testing.assert_close(scores["psnr"], before, check_dtype=False)
    for name in ("gain", "lead"):
        torch.testing.assert_close(scores[name], torch.zeros(2), check_dtype=False)


def telling() -> KernelSpaceObjective:
    """Untrained networks under which the code makes a difference."""
    objective = objective_of().eval()
    for weight in objective.network.filter_decoder.parameters():
        weight.data *= 10
    return objective


def test_the_lead_is_over_the_code_of_the_next_pair():
    objective, batch = telling(), batch_of()
    network, scores = objective.network, objective.evaluate(batch)
    code = network.extract(batch["sharp"], batch["blurry"]).mean.roll(1, 0)
    strange = network.blur(batch["sharp"], code).clamp(0, 1)
    expected = scores["psnr"] + 10 * (strange - batch["blurry"]).square().mean((1, 2, 3)).log10()
    torch.testing.assert_close(scores["lead"], expected, check_dtype=False, rtol=0, atol=1e-4)
    assert scores["lead"].abs().min() > 1e-3


def test_partners_are_blurred_with_the_code_of_each_other():
    objective, batch = telling(), batch_of()
    both = {name: batch[name][:1] for name in batch} | {f"other_{name}": batch[name][1:] for name in batch}
    with torch.no_grad():
        reblurred, _ = objective.network(batch["sharp"], batch["blurry"], [1, 0])
        expected = ((reblurred - batch["blurry"]).square() + 1e-6).sqrt().sum()
        torch.testing.assert_close(objective(both)["blur"], expected)
        assert objective(batch)["blur"] != expected


def test_a_variational_network_begins_with_a_plain_one(tmp_path):
    plain = reduced_kernel_space()
    write_checkpoint(tmp_path / "plain.safetensors", plain.state_dict(), {"arch": "kernel-space"})
    begun = KernelSpaceObjective(
        "reduced", variational=True, start_weights=str(tmp_path / "plain.safetensors")
    ).network.eval()
    state = begun.state_dict()
    fitting = {name for name, tensor in plain.state_dict().items() if tensor.shape == state[name].shape}
    assert all(torch.equal(state[name], plain.state_dict()[name]) for name in fitting)
    different = set(state) - fitting
    assert different
    assert all(name.startswith("kernel_extractor.") for name in different), "only the end of the extractor is wider"
    batch = batch_of(1, 128)
    mean, sigma = begun.extract(batch["sharp"], batch["blurry"])
    torch.testing.assert_close(mean, plain.extract(batch["sharp"], batch["blurry"]).mean)
    assert sigma.std() > 0


def test_weights_of_another_network_are_refused():
    network = PublishedSpace(width=4, code=6, front=1, back=1, blocks=1)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    with pytest.raises(CheckpointError, match="no tensor of a kernel space"):
        begin_with(
            network, Checkpoint("other", {"conv.weight": torch.ones(2), "recon_trunk.0.conv1.bias": torch.ones(9)})
        )
    assert all(torch.equal(before[name], tensor) for name, tensor in network.state_dict().items())


def test_the_pair_of_networks_learns():
    """A pair seen again and again: what blurs it must come near, and beat the sharp photo itself."""
    objective, batch = objective_of(), batch_of(1, 24)
    objective.network = PublishedSpace(width=8, code=8, front=1, back=2, blocks=1)
    optimiser = torch.optim.Adam(objective.parameters(), lr=3e-3)
    losses: list[torch.Tensor] = []
    for _ in range(40):
        optimiser.zero_grad()
        loss = objective(batch)["blur"]
        loss.backward()
        optimiser.step()
        losses.append(loss.detach())
    assert losses[-1] < 0.7 * losses[0]
    assert (objective.evaluate(batch)["gain"] > 1).all()
