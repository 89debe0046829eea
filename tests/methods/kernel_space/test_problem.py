"""What blind deblurring minimises, on a tiny operator."""

from dataclasses import replace

import pytest
import torch

from unblur.backbones.skipnet import image_prior
from unblur.methods.kernel_space.fit_schedules import FIT_SCHEDULES, choose_fit_schedule
from unblur.methods.kernel_space.generators import CodeNetwork
from unblur.methods.kernel_space.model import PublishedSpace
from unblur.methods.kernel_space.problem import BlurFit, Priors, Start, WarmFit, pixel_distance
from unblur.methods.kernel_space.settings import KernelSpaceSettings
from unblur.methods.optimisation.run import StepSchedule, optimise

FIT_SCHEDULE = choose_fit_schedule(KernelSpaceSettings(preset="smoke", steps=4, width=4, hold=0))


@pytest.fixture(scope="module")
def operator():
    torch.manual_seed(0)
    network = PublishedSpace(width=8, code=6, front=1, back=1, blocks=1, signed=True)
    return network.eval().requires_grad_(False)


def photo_of(height: int = 128, width: int = 128) -> torch.Tensor:
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(1))


def fit_of(operator, *, seed: int = 0, fit_schedule=FIT_SCHEDULE, **wishes) -> BlurFit:
    photo = photo_of()
    given = {"precision": torch.float32, "distance": pixel_distance, "priors": Priors()} | wishes
    start = Start(photo, torch.full((1, 6, 1, 1), 0.3))
    return BlurFit(operator, photo, start, fit_schedule, seed=seed, **given)


def test_the_generators_are_as_large_as_published():
    def count(network):
        return sum(weight.numel() for weight in network.parameters())

    with torch.device("meta"):
        assert count(CodeNetwork(512)) == 34_787_264
        assert count(image_prior(3, in_channels=8, padding="zeros")) == 2_365_779


def test_nothing_of_the_operator_learns(operator):
    before = {name: tensor.clone() for name, tensor in operator.state_dict().items()}
    fit = fit_of(operator)
    learning = [weight for weight in fit.networks.parameters() if weight.dim() > 1]  # some biases have no effect
    begun = [weight.detach().clone() for weight in learning]
    optimise(fit, FIT_SCHEDULE.schedule)
    assert all(weight.grad is None for weight in operator.parameters())
    assert all(torch.equal(before[name], tensor) for name, tensor in operator.state_dict().items())
    assert not any(map(torch.equal, begun, learning))
    assert not {id(weight) for group in fit.groups() for weight in group["params"]} & set(
        map(id, operator.parameters())
    )


def test_the_terms_are_those_of_the_two_halves(operator):
    fit = fit_of(operator)
    first, second = fit.evaluate(0), fit.evaluate(FIT_SCHEDULE.turning)
    assert first.traces["structure"] == pytest.approx(first.criterion, rel=1e-5)
    assert second.traces["structure"] == 0
    for evaluation, norm in ((first, 5e-5), (second, 5e-4)):
        assert evaluation.traces["norm"] == pytest.approx(norm * float(evaluation.answers["code"].norm()), rel=1e-5)
        assert evaluation.loss.item() == pytest.approx(sum(evaluation.traces.values()), rel=1e-5)
    assert [step for step in range(FIT_SCHEDULE.schedule.steps) if fit.changes_at(step)] == [2]


def test_in_turns_one_of_both_learns(operator):
    fit = fit_of(operator, in_turns=True)
    for step, (learns, rests) in enumerate([(fit.image_part, fit.code_part), (fit.code_part, fit.image_part)]):
        fit.networks.zero_grad(set_to_none=True)
        fit.evaluate(step).loss.backward()
        assert all(weight.grad is not None for weight in learns.parameters())
        assert all(weight.grad is None for weight in rests.parameters())


def test_without_priors_the_numbers_themselves_learn(operator):
    fit = fit_of(operator, priors=Priors(image="free", code="free"))
    image, code = fit.draw()
    assert torch.equal(image, fit.blurry)
    assert torch.equal(code, fit.start.code)
    optimise(fit, StepSchedule(2))
    assert not torch.equal(fit.draw()[1], fit.start.code)


def test_a_guided_fit_begins_with_the_image_itself(operator):
    image, _ = fit_of(operator).draw()
    torch.testing.assert_close(image, photo_of().clamp(1 / 512, 1 - 1 / 512))
    image, _ = fit_of(operator, fit_schedule=replace(FIT_SCHEDULE, guided=False)).draw()
    assert (image - photo_of()).abs().mean() > 0.1


def test_only_what_does_not_begin_there_is_warmed():
    fast, full = FIT_SCHEDULES["fast"], FIT_SCHEDULES["full"]
    assert (fast.warming, full.warming) == (0, 300)
    assert replace(fast, hold=0.5).warming == fast.warm_steps > 0


def test_a_held_code_stays_where_it_began(operator):
    fit = fit_of(operator, fit_schedule=replace(FIT_SCHEDULE, hold=0.5))
    for step, is_held in enumerate([True, True, False, False]):
        fit.networks.zero_grad(set_to_none=True)
        evaluation = fit.evaluate(step)
        evaluation.loss.backward()
        assert torch.equal(evaluation.answers["code"], fit.start.code) == is_held
        assert all((weight.grad is None) == is_held for weight in fit.code_part.parameters())
        assert all(weight.grad is not None for weight in fit.image_part.parameters())


def test_the_warm_start_learns_photo_and_code(operator):
    fit = fit_of(operator, fit_schedule=replace(FIT_SCHEDULE, guided=False))
    warm = optimise(WarmFit(fit), StepSchedule(25))
    assert warm.traces["loss"][-1] < 0.7 * warm.traces["loss"][0]


def test_the_seed_decides(operator):
    first, again, other = (optimise(fit_of(operator, seed=seed), StepSchedule(2)).last["image"] for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_the_published_course():
    full = FIT_SCHEDULES["full"]
    assert (full.schedule.steps, full.warm_steps, full.width) == (5000, 300, 128)
    assert [full.schedule.rate_at(step) for step in (0, 1000, 4999)] == pytest.approx([1, 0.7, 0.7**4])
    assert full.image_rate == full.code_rate == 5e-4
    assert (full.teacher, full.held) == ("none", 0)
