"""What SelfDeblur minimises, against its own pieces."""

from dataclasses import replace

import pytest
import torch

from planted import plant, shake
from unblur.blur.convolve import convolve
from unblur.images.tensors import linear_to_srgb, srgb_to_linear
from unblur.methods.kernel_search.refit import refit_kernel
from unblur.methods.optimisation.run import StepSchedule, optimise
from unblur.methods.selfdeblur.fit_schedules import FitSchedule, choose_fit_schedule
from unblur.methods.selfdeblur.problem import BlurModel, PhotoFit, TaughtFit
from unblur.methods.selfdeblur.settings import SelfDeblurSettings
from unblur.metrics.ssim import ssim_gaussian_padded

KERNEL = shake(9, 3)
FIT_SCHEDULE = FitSchedule(StepSchedule(50), squares_until=5, width=16)


@pytest.fixture(scope="module")
def planted():
    return plant(KERNEL, (40, 44))


def fit_of(planted, fit_schedule=FIT_SCHEDULE, seed=0, **more) -> PhotoFit:
    blur_model = BlurModel((9, 9), more.pop("light", "encoded"), **more)
    return PhotoFit(planted.blurry, blur_model, fit_schedule, seed=seed, precision=torch.float32)


@pytest.mark.parametrize("light", ["encoded", "linear"])
def test_the_loss_is_that_of_the_image_blurred_again(planted, light):
    fit, twin = (fit_of(planted, light=light) for _ in range(2))
    with torch.no_grad():
        whole, kernel = twin.draw_image(), twin.kernel()
    assert whole.shape == (1, 1, 48, 52)
    if light == "linear":
        reblurred = linear_to_srgb(convolve(srgb_to_linear(whole), kernel, "valid"))
    else:
        # "valid" correlation with the kernel turned by 180 degrees
        reblurred = torch.nn.functional.conv2d(whole, kernel.flip(-2, -1))
    expected = (reblurred - planted.blurry).square().mean()
    evaluation = fit.evaluate(0)
    assert float(evaluation.loss.detach()) == pytest.approx(float(expected), rel=1e-4)
    structure = 1 - float(ssim_gaussian_padded(reblurred, planted.blurry, data_range=1.0, border="zeros"))
    assert evaluation.criterion == pytest.approx(structure, rel=1e-3)
    assert float(fit_of(planted, light=light).evaluate(5).loss.detach()) == pytest.approx(structure, rel=1e-3)
    assert torch.equal(evaluation.answers["image"], whole[..., 4:44, 4:48])


def test_the_loss_changes_once(planted):
    fit = fit_of(planted)
    assert [step for step in range(50) if fit.changes_at(step)] == [5]


def test_gradients_reach_both_networks(planted):
    fit = fit_of(planted)
    fit.evaluate(0).loss.backward()
    for network in (fit.image_network, fit.kernel_network):
        assert any(bool(weights.grad.abs().sum() > 0) for weights in network.parameters())


def test_a_known_kernel_is_not_fitted(planted):
    fit = fit_of(planted, kernel=KERNEL, is_known=True)
    done = optimise(fit, StepSchedule(2))
    assert torch.equal(done.last["kernel"], KERNEL)
    assert len(fit.groups()) == 1


def test_the_seed_decides_and_the_common_source_is_left_alone(planted):
    torch.manual_seed(5)
    before = torch.get_rng_state()
    losses = [float(fit_of(planted, seed=seed).evaluate(0).loss.detach()) for seed in (0, 0, 1)]
    assert losses[0] == losses[1] != losses[2]
    assert torch.equal(torch.get_rng_state(), before)


def test_fitting_explains_the_photo(planted):
    done = optimise(fit_of(planted), StepSchedule(40))
    squares = done.traces["squares"]
    assert squares[-1] < squares[0] / 4
    kernel = done.last["kernel"]
    assert float(kernel.sum()) == pytest.approx(1)
    assert kernel.min() >= 0


def test_the_image_network_learns_an_image(planted):
    fit = fit_of(planted)
    done = optimise(TaughtFit(fit, planted.sharp), StepSchedule(40))
    assert done.traces["loss"][-1] < done.traces["loss"][0] / 3


def test_a_guide_lies_where_the_image_is(planted):
    guide = torch.rand(1, 1, 40, 44)
    blur_model = BlurModel((9, 9), "encoded")
    fit = PhotoFit(planted.blurry, blur_model, FIT_SCHEDULE, seed=0, precision=torch.float32, guide=guide)
    assert torch.allclose(fit.crop(fit.image_code)[:, :1], 0.1 * guide)
    assert torch.equal(fit.image_code[:, 1:], fit_of(planted).image_code[:, 1:])


def test_a_fit_around_the_teacher_begins_with_its_image(planted):
    guide = 0.1 + 0.8 * torch.rand(1, 1, 40, 44)
    around = replace(FIT_SCHEDULE, around_teacher=True)
    blur_model = BlurModel((9, 9), "encoded", planted.kernel)
    fit = PhotoFit(planted.blurry, blur_model, around, seed=0, precision=torch.float32, guide=guide)
    assert torch.allclose(fit.crop(fit.draw_image()), guide, atol=1e-5)
    done = optimise(fit, StepSchedule(20))
    assert done.best_criterion < 0.8 * done.traces["criterion"][0]


def test_the_kernel_is_found_anew_from_the_image(planted):
    refitting = replace(FIT_SCHEDULE, refit_every=3)
    assert [step for step in range(10) if refitting.refits_at(step)] == [3, 6, 9]
    fit = fit_of(planted, refitting)
    with torch.no_grad():
        for step in (1, 2, 3):
            before = fit.kernel()
            evaluation = fit.evaluate(step)
    wanted = refit_kernel(planted.blurry, evaluation.answers["image"], before, "encoded")
    # The network leaves a little light everywhere.
    assert torch.allclose(fit.kernel(), 0.98 * wanted + 0.02 / 81, atol=1e-5)
    assert not torch.allclose(fit.kernel(), before, atol=1e-3)


def test_total_variation_is_added(planted):
    fit = PhotoFit(planted.blurry, BlurModel((9, 9), "encoded"), FIT_SCHEDULE, seed=0, precision=torch.float32, tv=0.1)
    evaluation = fit.evaluate(0)
    image = evaluation.answers["image"]
    expected = 0.1 * (image.diff(dim=-1).abs().mean() + image.diff(dim=-2).abs().mean())
    assert evaluation.traces["tv"] == pytest.approx(float(expected), rel=1e-5)
    assert float(evaluation.loss.detach()) == pytest.approx(
        evaluation.traces["fit"] + evaluation.traces["tv"], rel=1e-5
    )


def test_courses():
    def choose(device="cpu", knows=False, **settings):
        return choose_fit_schedule(SelfDeblurSettings(**settings), torch.device(device), knows_kernel=knows)

    full = choose(preset="full")
    assert (full.schedule.steps, full.schedule.milestones, full.squares_until) == (5000, (2000, 3000, 4000), 1000)
    assert (full.width, full.image_rate, full.kernel_rate, full.warm_steps) == (128, 1e-2, 1e-4, 0)
    fast = choose(preset="fast")
    assert (fast.schedule.steps, fast.schedule.milestones, fast.squares_until) == (1500, (600, 900, 1200), 300)
    known = choose(preset="full", knows=True)
    assert (known.schedule.steps, known.schedule.milestones, known.squares_until) == (1000, (700, 800, 900), 0)
    assert not any(full.refits_at(step) for step in range(5000)), "the kernel only learns, as published"
    warm = choose(preset="warm", knows=True)
    assert warm.schedule == choose(preset="warm").schedule, "of a short run a fifth is not enough"
    half = choose(preset="full", steps=2500)
    assert (half.schedule.steps, half.schedule.milestones, half.squares_until) == (2500, (1000, 1500, 2000), 500)
    assert choose() == choose(preset="warm") != choose(device="cuda") == full
    assert choose(width=24, warm_steps=0, preset="warm").width == 24
