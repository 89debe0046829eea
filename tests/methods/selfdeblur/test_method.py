"""SelfDeblur as a method: small photos and few steps, for they show the same."""

from dataclasses import replace

import pytest
import torch

from planted import plant, shake, shifted_psnr
from unblur.errors import Cancelled, SettingsError
from unblur.methods.apply import restore_tensor
from unblur.methods.base import ignore_step
from unblur.methods.kernel_search.refit import refit_kernel
from unblur.methods.loading import load_method
from unblur.methods.optimisation.teachers import Oracle
from unblur.methods.options import RestoreOptions
from unblur.methods.selfdeblur.fit_schedules import FIT_SCHEDULES
from unblur.methods.selfdeblur.method import SelfDeblur
from unblur.methods.selfdeblur.settings import SelfDeblurSettings
from unblur.metrics.kernel import kernel_similarity_upto_shift

pytestmark = pytest.mark.usefixtures("quick_search")

SMOKE = {"preset": "smoke", "smallest": 40, "steps": 6, "warm_steps": 2}
KERNEL = shake(9, 3)


@pytest.fixture(scope="module")
def planted():
    return plant(KERNEL, (56, 60), noise=0.003)


def options_of(**given):
    """With the size of the blur known, the search for its kernel takes no time."""
    return RestoreOptions(**{"encoding": "encoded", "kernel_size": 11} | given)


def restored(blurry, options=None, on_step=ignore_step, **settings):
    return restore_tensor(blurry, load_method("selfdeblur", SMOKE | settings), options or options_of(), on_step)


def test_answer_of_a_blind_run(planted):
    steps = []
    answer = restored(planted.blurry, on_step=steps.append)
    assert answer.image.shape == planted.blurry.shape
    assert float(answer.kernel.sum()) == pytest.approx(1)
    assert answer.kernel.shape[-1] % 2 == 1
    assert answer.facts["steps"] == 6
    assert answer.facts["encoding"] == "encoded"
    assert answer.facts["teacher"] == "map"
    assert len(answer.history["fit"]) == len(answer.history["weak"]) == 6
    fractions = [step.fraction for step in steps]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1


def test_colours_come_back_with_the_brightness(planted):
    tint = torch.tensor([0.9, 0.7, 0.5]).view(1, 3, 1, 1)
    colour = planted.blurry * tint
    with_kernel = options_of(kernel=KERNEL.numpy())
    answer = restored(colour, with_kernel, colours="photo", teacher="none", output="networks").image
    change = answer - colour
    inside = ((answer > 0) & (answer < 1)).all(1, keepdim=True).expand_as(change)
    assert inside.float().mean() > 0.5
    assert torch.allclose(change[:, :1][inside[:, :1]], change[:, 2:][inside[:, :1]], atol=1e-5)


def test_a_known_kernel_is_used_as_it_is(planted):
    answer = restored(planted.blurry, options_of(kernel=KERNEL.numpy()), preset="warm", width=8, steps=10, warm_steps=1)
    assert torch.equal(answer.kernel, KERNEL)
    assert answer.facts["steps"] == 10


def test_the_mixture_is_the_mean_of_networks_and_solver(planted):
    images = [restored(planted.blurry, output=output).image for output in ("networks", "solver", "mixture")]
    inside = (images[0] > 0) & (images[0] < 1) & (images[1] > 0) & (images[1] < 1)
    assert torch.allclose(images[2][inside], ((images[0] + images[1]) / 2)[inside], atol=1e-5)
    assert (images[0] - images[1]).abs().mean() > 1e-3


def test_the_kernel_size_of_the_user_holds(planted):
    assert restored(planted.blurry, options_of(kernel_size=13)).kernel.shape[-2:] == (13, 13)


def test_small_photos_and_constant_ones_are_left_alone(planted):
    for blurry, told in (
        (planted.blurry[..., :39, :], "below 40 pixels"),
        (torch.full((1, 3, 60, 60), 0.4), "one tone"),
    ):
        answer = restored(blurry)
        assert torch.equal(answer.image, blurry)
        assert told in answer.warnings[0]
        assert answer.kernel is None


def test_a_large_photo_is_learned_on_a_part_and_deconvolved(planted):
    answer = restored(planted.blurry, pixels=2500)
    assert answer.facts["final"] == "solver"
    assert answer.image.shape == planted.blurry.shape
    known = restored(planted.blurry, options_of(kernel=KERNEL.numpy()), pixels=2500)
    assert "2500 pixels" in known.warnings[0]
    assert shifted_psnr(known.image, planted.sharp, 12) > shifted_psnr(planted.blurry, planted.sharp, 12) + 2


def test_the_teacher_sees_all_of_a_large_photo(planted):
    seen = []

    class Watching(Oracle):
        def restore(self, blurry, options, on_step=ignore_step):
            seen.append(tuple(blurry.shape[-2:]))
            return super().restore(blurry, options, on_step)

    settings = SelfDeblurSettings(preset="smoke", smallest=40, steps=2, warm_steps=2, pixels=2000)
    method = SelfDeblur(settings, Watching(planted.sharp))
    answer = restore_tensor(planted.blurry, method, options_of())
    assert seen == [tuple(planted.blurry.shape[-2:])]
    assert answer.facts["final"] == "solver", "the fit is that of a part"


def test_a_region_is_where_it_learns(planted):
    answer = restored(planted.blurry, options_of(region=(2, 4, 52, 50)))
    assert answer.facts["final"] == "solver"


def test_photos_of_a_batch_are_fitted_one_by_one(planted):
    both = torch.cat([planted.blurry, planted.blurry.flip(-1)])
    answer = restored(both)
    alone = restored(both[1:])
    assert torch.equal(answer.image[1:], alone.image)
    assert answer.kernel.shape[0] == 2


def test_photos_side_by_side_come_out_as_alone(planted):
    both = torch.cat([planted.blurry, planted.blurry.flip(-1)]).double()
    # In double precision, for Adam makes whole steps of the rounding of gradients that are zero.
    settings = {"steps": 4, "warm_steps": 2, "output": "networks", "teacher": "identity"}
    options = options_of(kernel_size=11)
    steps = []
    alone = restored(both, options, **settings, stack=1)
    stacked = restored(both, options, steps.append, **settings, stack=2)
    assert torch.allclose(stacked.image, alone.image, atol=1e-6)
    assert torch.allclose(stacked.kernel, alone.kernel, atol=1e-6)
    assert stacked.history["loss"] == pytest.approx(alone.history["loss"])
    assert (alone.image[0] - alone.image[1]).abs().max() > 0.01
    fractions = [step.fraction for step in steps]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1


def test_the_seed_decides(planted):
    first, again, other = (
        restored(planted.blurry, options_of(seed=seed), teacher="identity").image for seed in (0, 0, 1)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_the_answer_is_the_mean_of_fits_from_several_seeds(planted):
    seeds = [options_of(seed=seed) for seed in (4, 5)]
    alone = [restored(planted.blurry, options, output="networks").image for options in seeds]
    stages = []
    both = restored(planted.blurry, options_of(seed=2), lambda s: stages.append(s.stage), output="networks", fits=2)
    assert torch.allclose(both.image, torch.stack(alone).mean(0), atol=1e-5)
    assert both.facts["fits"] == 2
    assert "fitting 2 of 2, step 6 of 6" in stages


def test_the_kernel_is_found_anew_from_the_final_image(planted, monkeypatch):
    monkeypatch.setitem(FIT_SCHEDULES, "smoke", replace(FIT_SCHEDULES["smoke"], refit_every=2))
    answer = restored(planted.blurry, steps=5, output="networks", teacher="identity")
    assert answer.kernel.min() == 0
    assert float(answer.kernel.sum()) == pytest.approx(1, abs=1e-5)
    box = answer.kernel.shape[-1]
    uniform = torch.full((1, 1, box, box), 1 / box**2)
    wanted = refit_kernel(planted.blurry, answer.image, uniform, "encoded")
    assert kernel_similarity_upto_shift(answer.kernel, wanted) > 0.98


def test_a_cancelled_run_goes_on_from_its_state(planted, tmp_path):
    state = str(tmp_path / "photo.state")
    whole = restored(planted.blurry, teacher="identity")

    def stop(step):
        if step.stage == "fitting, step 3 of 6":
            raise Cancelled

    with pytest.raises(Cancelled):
        restored(planted.blurry, on_step=stop, state=state, teacher="identity")
    stages = []
    answer = restored(planted.blurry, on_step=lambda s: stages.append(s.stage), state=state, teacher="identity")
    assert "fitting, step 3 of 6" not in stages
    assert "fitting, step 4 of 6" in stages
    assert torch.equal(answer.image, whole.image)
    with pytest.raises(SettingsError, match="state keeps the run of one photo"):
        restored(planted.blurry.expand(2, -1, -1, -1), state=state)


def test_any_teacher_can_be_given(planted):
    settings = SelfDeblurSettings(preset="smoke", smallest=40, steps=16, warm_steps=16, weak=1.0, weak_until=0.0)
    taught = SelfDeblur(settings, Oracle(planted.sharp))
    alone = SelfDeblur(replace(settings, teacher="none"))
    answers = [restore_tensor(planted.blurry, method, options_of()) for method in (taught, alone)]
    gains = [shifted_psnr(answer.image, planted.sharp, 12) for answer in answers]
    assert gains[0] > gains[1]
    assert answers[0].facts["teacher"] == "oracle"
    assert answers[1].facts["teacher"] == "none"


def test_a_rule_ends_the_run(planted):
    given = {"teacher": "identity", "stop": "threshold", "threshold": 1.0, "patience": 3, "steps": 20}
    answer = restored(planted.blurry, options_of(kernel=KERNEL.numpy()), **given)
    assert answer.facts["steps"] == 20 // 10 + 3, "the first tenth of the steps never counts"


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"weak": -1}, "weak takes a number from 0 up, not -1"),
        ({"weak_until": 2}, "weak_until takes a number from 0 to 1, not 2"),
        ({"rec_every": 0}, "rec_every takes a number from 1 up"),
        ({"steps": -5}, "steps takes a number from 1 up, or 0"),
        ({"smallest": 20}, "smallest takes a number from 33 up"),
        ({"warm_steps": -2}, "warm_steps takes a number from 0 up, or -1"),
        ({"tv": -1}, "tv takes a number from 0 up"),
        ({"stop": "threshold", "teacher": "none"}, "the rule threshold asks a teacher"),
        ({"teacher_weights": "w.pth"}, "teacher_weights is for a trained teacher, and map takes none"),
        ({"teacher": "magic"}, "teacher takes one of"),
    ],
)
def test_wrong_settings(wrong, told):
    with pytest.raises(SettingsError, match=told):
        load_method("selfdeblur", wrong)


@pytest.mark.slow
def test_a_start_from_map_leads_beyond_map():
    planted = plant(shake(15, 3, (15, 20)), (128, 136), noise=0.005)
    answers = {
        name: restore_tensor(planted.blurry, load_method(name), RestoreOptions(encoding="encoded"))
        for name in ("map", "selfdeblur")
    }
    gains = {name: shifted_psnr(answer.image, planted.sharp, 20) for name, answer in answers.items()}
    assert gains["selfdeblur"] > gains["map"] + 0.3
    similar = {
        name: float(kernel_similarity_upto_shift(answer.kernel, planted.kernel)) for name, answer in answers.items()
    }
    assert similar["selfdeblur"] > similar["map"]
