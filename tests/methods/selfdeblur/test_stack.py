"""Several fits side by side against the same fits one by one."""

import pytest
import torch

from planted import draw_picture, shake
from unblur.errors import ShapeError
from unblur.methods.optimisation.problem import SingleProblem
from unblur.methods.optimisation.run import StepSchedule, optimise, optimise_jointly
from unblur.methods.optimisation.stopping import Never, Threshold
from unblur.methods.selfdeblur.fit_schedules import FitSchedule
from unblur.methods.selfdeblur.problem import BlurModel, PhotoFit, TaughtFit
from unblur.methods.selfdeblur.stack import Stack, TaughtStack, largest_stack

FIT_SCHEDULE = FitSchedule(StepSchedule(10, (6,)), squares_until=4, width=16, refit_every=3)
PHOTOS = [draw_picture(44, 47, seed)[:, :1].double() for seed in (1, 2)]
KERNEL = shake(9, 3).double()


def fits(blur_model=None):
    # In double precision, for Adam makes whole steps of the rounding of gradients that are zero.
    blur_model = blur_model or BlurModel((9, 9), "encoded")
    return [
        PhotoFit(photo, blur_model, FIT_SCHEDULE, seed=seed, precision=torch.float64, tv=1e-3)
        for seed, photo in enumerate(PHOTOS)
    ]


def assert_same(stacked, alone):
    for ours, expected in zip(stacked, alone, strict=True):
        assert ours.steps == expected.steps
        assert ours.best_step == expected.best_step
        for name, answer in expected.average.items():
            assert torch.allclose(ours.average[name], answer, atol=1e-7), name
        for name, numbers in expected.traces.items():
            assert ours.traces[name] == pytest.approx(numbers, rel=1e-6), name


@pytest.mark.parametrize(
    "blur_model", [None, BlurModel((9, 9), "linear", KERNEL, is_known=True)], ids=["blind", "known"]
)
def test_each_comes_out_as_alone(blur_model):
    alone = [optimise(fit, FIT_SCHEDULE.schedule) for fit in fits(blur_model)]
    stacked = optimise_jointly(Stack(fits(blur_model)), FIT_SCHEDULE.schedule, rules=[Never(), Never()])
    assert_same(stacked, alone)


def test_one_that_ends_early_leaves_the_others_alone():
    def rules():
        return [Threshold(1.0, patience=5, after=0, every=1), Never()]

    alone = [optimise(fit, FIT_SCHEDULE.schedule, rule=rule) for fit, rule in zip(fits(), rules(), strict=True)]
    stacked = optimise_jointly(Stack(fits()), FIT_SCHEDULE.schedule, rules=rules())
    assert [done.steps for done in stacked] == [4 + 5, 10], "the change of the loss at step 4 begins the count anew"
    assert_same(stacked, alone)


def test_the_lesson_stays_with_the_stack():
    taught = [photo.flip(-1) for photo in PHOTOS]
    alone = fits()
    for fit, image in zip(alone, taught, strict=True):
        optimise(TaughtFit(fit, image), StepSchedule(3))
    stack = Stack(fits())
    optimise_jointly(TaughtStack(stack, taught), StepSchedule(3), rules=[Never(), Never()])
    expected = [optimise(fit, StepSchedule(3)) for fit in alone]
    assert_same(optimise_jointly(stack, StepSchedule(3), rules=[Never(), Never()]), expected)


def test_a_loss_that_breaks_ends_its_own_run_only():
    broken, sound = fits()
    whole = optimise(fits()[1], StepSchedule(5))

    def spoil(steps, _):
        if steps == 2:
            broken.blurry = broken.blurry * torch.nan

    done = optimise_jointly(Stack([broken, sound]), StepSchedule(5), rules=[Never(), Never()], on_step=spoil)
    assert [run.steps for run in done] == [2, 5]
    assert_same(done[1:], [whole])


def test_the_common_source_of_random_numbers_is_left_alone():
    before = torch.get_rng_state()
    Stack(fits())
    assert torch.equal(torch.get_rng_state(), before)


def test_fits_of_different_size_are_refused():
    other = PhotoFit(PHOTOS[0], BlurModel((7, 7), "encoded"), FIT_SCHEDULE, seed=0, precision=torch.float64)
    with pytest.raises(ShapeError, match="photos and kernels of one size"):
        Stack([fits()[0], other])


def test_one_alone_is_a_stack_of_one():
    fit = fits()[0]
    assert SingleProblem(fit).problems == [fit]
    [done] = optimise_jointly(SingleProblem(fit), StepSchedule(2), rules=[Never()])
    assert done.steps == 2


def test_memory_bounds_a_stack(monkeypatch):
    assert largest_stack(torch.device("cpu"), 10_000, 128) == 1
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (80 * 10**9, 80 * 10**9))
    sizes = [largest_stack(torch.device("cuda"), pixels, width) for pixels, width in ((65_025, 128), (65_025, 32))]
    assert 20 < sizes[0] < sizes[1]
    assert largest_stack(torch.device("cuda"), 10**9, 128) == 1
