"""The parts of a step and of a run, each by itself."""

import copy

import pytest
import torch
from torch import nn

from unblur.training.averaging import MovingAverage
from unblur.training.guard import StepGuard, step_if, undoable_step
from unblur.training.step_log import StepLog
from unblur.training.streams import StepBatches

OPTIMIZERS = {
    "adam": lambda weights: torch.optim.Adam(weights, lr=0.1),
    "fused": lambda weights: torch.optim.Adam(weights, lr=0.1, fused=True),
    "sgd": lambda weights: torch.optim.SGD(weights, lr=0.1, momentum=0.9),
    "adamw": lambda weights: torch.optim.AdamW(weights, lr=0.1, amsgrad=True),
}


def train(take_step, make_optimizer, gradients) -> tuple[list, dict]:
    """Weights and the optimiser's state after steps along these gradients."""
    torch.manual_seed(0)
    network = nn.Linear(3, 2)
    optimizer = make_optimizer(network.parameters())
    for gradient in gradients:
        for weight in network.parameters():
            weight.grad = torch.full_like(weight, gradient)
        take_step(torch.tensor(gradient).isfinite(), optimizer, optimizer.step)
    return [weight.detach() for weight in network.parameters()], optimizer.state_dict()["state"]


@pytest.mark.parametrize("make_optimizer", OPTIMIZERS.values(), ids=OPTIMIZERS)
@pytest.mark.parametrize("take_step", [step_if, undoable_step])
@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_bad_step_is_as_if_it_had_not_been(make_optimizer, take_step, bad):
    weights, state = train(lambda _finite, _optimizer, step: step(), make_optimizer, [0.5, -2.0, 1.0])
    guarded, guarded_state = train(take_step, make_optimizer, [0.5, bad, -2.0, bad, bad, 1.0])
    assert all(map(torch.equal, weights, guarded))
    for number, notes in state.items():
        for name, note in notes.items():
            assert torch.equal(torch.as_tensor(note), torch.as_tensor(guarded_state[number][name])), name


@pytest.mark.parametrize("take_step", [step_if, undoable_step])
def test_a_bad_first_step_leaves_the_optimiser_at_its_beginning(take_step):
    weights, _ = train(take_step, OPTIMIZERS["adam"], [float("nan"), 1.0])
    expected, _ = train(take_step, OPTIMIZERS["adam"], [1.0])
    assert all(map(torch.equal, weights, expected))


def test_the_guard_counts():
    guard = StepGuard()
    for step, finite in enumerate([True, False, False, True, False]):
        guard.count(torch.tensor(finite), step)
    assert (int(guard.skipped), int(guard.in_a_row), int(guard.last)) == (3, 1, 4)


def test_the_average_follows_its_recursion():
    network = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    average = MovingAverage(network, 0.9)
    expected = network[0].weight.detach().clone()
    for step in range(200):
        with torch.no_grad():
            network[0].weight.normal_()
            network[1].num_batches_tracked += 1
        average.update(network, step)
        decay = min(0.9, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * network[0].weight.detach()
    torch.testing.assert_close(average.average[0].weight, expected)
    assert int(average.average[1].num_batches_tracked) == 200


def test_swapping_gives_everything_back():
    network = nn.Linear(2, 2)
    average = MovingAverage(copy.deepcopy(network), 0.5)
    with torch.no_grad():
        network.weight += 1
    own, averaged = network.weight.detach().clone(), average.average.weight.detach().clone()
    with average.swapped_into(network):
        assert torch.equal(network.weight, averaged)
    assert torch.equal(network.weight, own)
    assert torch.equal(average.average.weight, averaged)


def test_processes_share_the_samples_of_a_step():
    alone = StepBatches(3, 6)
    shared = [StepBatches(3, 2, rank=rank, world_size=3) for rank in range(3)]
    for step in (3, 4):
        assert [number for part in shared for number in part.numbers(step)] == alone.numbers(step)
    assert next(iter(alone)) == [18, 19, 20, 21, 22, 23]


def test_a_table_has_neither_doubles_nor_gaps(tmp_path):
    path = tmp_path / "log.csv"
    table = StepLog(path)
    for step in (1, 2, 3):
        table.put(step, {"loss": step / 3})
    with path.open("a", encoding="utf-8") as file:
        file.write("4,0.1")  # killed while writing
    again = StepLog(path)
    again.rewind(2)
    again.put(3, {"loss": 1.0})
    assert path.read_text(encoding="utf-8") == "step,loss\n1,0.3333333333333333\n2,0.6666666666666666\n3,1.0\n"


def test_a_row_that_could_not_be_written_comes_with_the_next(tmp_path):
    folder = tmp_path / "later"
    table = StepLog(folder / "log.csv")
    with pytest.raises(OSError, match="No such file"):
        table.put(1, {"loss": 0.5})
    folder.mkdir()
    table.put(2, {"loss": 0.25})
    assert (folder / "log.csv").read_text(encoding="utf-8") == "step,loss\n1,0.5\n2,0.25\n"
