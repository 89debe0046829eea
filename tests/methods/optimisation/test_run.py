"""The loop of methods that learn on one photo, on a problem whose answer is known."""

import math

import pytest
import torch
from torch import nn

from unblur.errors import Cancelled, CheckpointError, ImageError
from unblur.methods.optimisation.checkpointing import RunFile
from unblur.methods.optimisation.problem import Evaluation
from unblur.methods.optimisation.run import StepSchedule, optimise
from unblur.methods.optimisation.stopping import Threshold, Variance

TARGET = torch.tensor([1.0, -2.0, 0.5])


class NoisyBowl:
    """Squared distance to a target, seen through noise."""

    def __init__(self, noise: float = 0.0, rate: float = 0.05) -> None:
        self.generator = torch.Generator().manual_seed(0)
        self.networks = nn.ParameterList([nn.Parameter(torch.zeros(3))])
        self.noise, self.rate = noise, rate
        self.break_at = -1

    def groups(self):
        return [{"params": list(self.networks.parameters()), "lr": self.rate}]

    def evaluate(self, step):
        place = self.networks[0]
        noise = self.noise * torch.randn(3, generator=self.generator)
        loss = (place + noise - TARGET).square().sum()
        loss = loss * math.nan if step == self.break_at else loss
        late = {"late": 1.0} if 3 <= step < 5 else {}
        return Evaluation(loss, {"place": place.detach().clone()}, float(loss.detach()), late)

    def changes_at(self, step):
        return False

    def stop_quantity(self):
        return None


def test_it_finds_the_minimum():
    done = optimise(NoisyBowl(), StepSchedule(400, (200, 300)))
    assert done.steps == 400
    assert torch.allclose(done.last["place"], TARGET, atol=1e-3)
    assert not done.stopped


def test_rates_halve_exactly_at_the_milestones():
    schedule = StepSchedule(100, (20, 50))
    assert [schedule.rate_at(step) for step in (0, 19, 20, 49, 50, 99)] == [1, 1, 0.5, 0.5, 0.25, 0.25]
    assert schedule.scaled_to(10) == StepSchedule(10, (2, 5))


def test_the_best_is_that_of_the_lowest_criterion():
    seen = []
    problem = NoisyBowl(noise=0.5)
    done = optimise(problem, StepSchedule(60), on_step=lambda _, evaluation: seen.append(evaluation))
    lowest = min(range(60), key=lambda step: seen[step].criterion)
    assert done.best_step == lowest < 59
    assert done.best_criterion == seen[lowest].criterion
    assert torch.equal(done.best["place"], seen[lowest].answers["place"])
    assert torch.equal(done.last["place"], seen[-1].answers["place"])


def test_the_mean_is_calmer_than_the_last():
    done = optimise(NoisyBowl(noise=0.5), StepSchedule(600))
    last, average = ((answers["place"] - TARGET).norm() for answers in (done.last, done.average))
    assert average < last


def test_traces_have_a_value_for_every_step():
    done = optimise(NoisyBowl(), StepSchedule(6))
    assert {name: len(values) for name, values in done.traces.items()} == {"loss": 6, "criterion": 6, "late": 6}
    assert [math.isnan(value) for value in done.traces["late"]] == [True, True, True, False, False, True]


def test_a_rule_ends_it():
    done = optimise(NoisyBowl(), StepSchedule(1000), rule=Threshold(0.01, patience=2, after=0))
    assert done.stopped
    assert done.steps < 1000
    assert done.best_criterion < 0.01


def test_a_broken_loss_ends_it_with_what_there_is():
    problem = NoisyBowl()
    problem.break_at = 5
    done = optimise(problem, StepSchedule(20))
    assert done.steps == 5
    assert all(answers["place"].isfinite().all() for answers in (done.best, done.last, done.average))
    problem.break_at = 0
    with pytest.raises(ImageError, match="not finite at the first step"):
        optimise(problem, StepSchedule(20))


def cancel_at(number):
    def on_step(steps, _):
        if steps == number:
            raise Cancelled

    return on_step


@pytest.mark.parametrize("rule", [Threshold, Variance])
def test_a_cancelled_run_goes_on_bit_for_bit(tmp_path, rule):
    def rule_of():
        return Threshold(1e-6, patience=3, after=0) if rule is Threshold else Variance(window=3, patience=5)

    schedule, run_file = StepSchedule(90, (30, 60)), RunFile(tmp_path / "run.state", of="bowl", every=7)
    whole = optimise(NoisyBowl(noise=0.3), schedule, rule=rule_of())
    for number in (13, 40):
        with pytest.raises(Cancelled):
            optimise(NoisyBowl(noise=0.3), schedule, rule=rule_of(), run_file=run_file, on_step=cancel_at(number))
    done = optimise(NoisyBowl(noise=0.3), schedule, rule=rule_of(), run_file=run_file)
    assert (done.steps, done.stopped, done.best_step) == (whole.steps, whole.stopped, whole.best_step)
    assert done.traces["loss"] == whole.traces["loss"]
    for kind in ("last", "best", "average"):
        assert torch.equal(getattr(done, kind)["place"], getattr(whole, kind)["place"])
    assert not run_file.path.exists(), "a finished run leaves no state"


def test_the_state_of_another_run_is_refused(tmp_path):
    path = tmp_path / "run.state"
    with pytest.raises(Cancelled):
        optimise(NoisyBowl(), StepSchedule(9), run_file=RunFile(path, of="one"), on_step=cancel_at(4))
    with pytest.raises(CheckpointError, match="another photo or other settings"):
        optimise(NoisyBowl(), StepSchedule(9), run_file=RunFile(path, of="two"))
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(CheckpointError):
        optimise(NoisyBowl(), StepSchedule(9), run_file=RunFile(path, of="one"))
    torch.save({"weights": torch.ones(2)}, path)
    with pytest.raises(CheckpointError, match="holds no run"):
        optimise(NoisyBowl(), StepSchedule(9), run_file=RunFile(path, of="one"))
