"""What a teacher adds to the loss, in both readings, and which teachers can be learned through."""

import pytest
import torch

from planted import draw_picture
from unblur.blur.convolve import convolve
from unblur.errors import SettingsError
from unblur.methods.base import Restoration, ignore_step
from unblur.methods.loading import load_method
from unblur.methods.optimisation.teachers import CatalogTeacher, Identity, Oracle, load_teacher
from unblur.methods.options import RestoreOptions
from unblur.methods.selfdeblur.settings import SelfDeblurSettings, WeakSettings
from unblur.methods.selfdeblur.weak import WeakLosses
from untrained import load_any

BOX = torch.full((1, 1, 3, 3), 1 / 9)
PHOTO = draw_picture(24, 28, 1)


class Sharpener:
    """A teacher as small as can be: exaggerates what differs from the surroundings."""

    name = "sharpener"
    is_differentiable = True

    def restore(self, blurry, options, on_step=ignore_step):
        return Restoration(image=self.apply(blurry))

    def apply(self, image):
        return 2 * image - convolve(image, BOX, "replicate")


def reblur(image):
    return convolve(image, BOX, "replicate")


def losses(teacher=None, border=(0, 0), **settings) -> WeakLosses:
    teacher = teacher or Sharpener()
    return WeakLosses(WeakSettings(**settings), teacher, PHOTO, teacher.restore(PHOTO, RestoreOptions()).image, border)


def terms_of(weak, image, reblurred=None, step=0, share=0.5):
    return weak.terms(image, reblur(image) if reblurred is None else reblurred, reblur, step=step, share=share)


def test_the_weight_falls_along_half_a_cosine():
    weak = losses(weak=0.4, weak_until=0.6)
    assert [weak.weight_at(share) for share in (0, 0.3, 0.6, 0.9)] == pytest.approx([0.4, 0.2, 0, 0])
    assert losses(weak=0.4, weak_until=0.0).weight_at(1) == 0.4


@pytest.mark.parametrize("border", [(0, 0), (3, 5)])
def test_the_difference_to_the_teacher(border):
    image = torch.rand(1, 1, 24, 28)
    inside = (..., slice(border[0], 24 - border[0]), slice(border[1], 28 - border[1]))
    weak = losses(weak=1.0, weak_until=0.0, border=border)
    expected = (image - Sharpener().apply(PHOTO))[inside].abs().mean()
    assert float(terms_of(weak, image)["weak"]) == pytest.approx(float(expected))


def test_degraded_vanishes_with_the_data_fit_and_literal_does_not():
    degraded = losses(weak=0.0, rec=1.0)
    literal = losses(weak=0.0, rec=1.0, reading="literal")
    trivial = PHOTO  # x = y, k = one pixel: it explains the photo
    assert float(terms_of(degraded, trivial, reblurred=PHOTO)["rec"]) == 0
    assert float(terms_of(literal, trivial, reblurred=PHOTO)["rec"]) > 0.01
    taught = Sharpener().apply(PHOTO)
    assert float(terms_of(literal, taught)["rec"]) == 0


@pytest.mark.parametrize("reading", ["degraded", "literal"])
def test_the_gradient_passes_through_the_teacher(reading):
    image = torch.rand(1, 1, 24, 28, requires_grad=True)
    term = terms_of(losses(weak=0.0, rec=2.0, reading=reading), image)["rec"]
    (gradient,) = torch.autograd.grad(term, image)
    assert gradient.abs().sum() > 0


def test_the_teacher_is_asked_at_its_times_only():
    weak = losses(weak=0.0, rec=0.1, rec_from=0.2, rec_every=5)
    image = torch.rand(1, 1, 24, 28)
    asked = [step for step in range(20) if "rec" in terms_of(weak, image, step=step, share=step / 20)]
    assert asked == [5, 10, 15]
    once = float(terms_of(losses(weak=0.0, rec=0.1), image)["rec"])
    assert float(terms_of(weak, image)["rec"]) == pytest.approx(5 * once)


@pytest.mark.parametrize("measure", ["l1", "l2", "ssim", "l1+ssim"])
def test_every_measure_is_zero_for_equal_images_only(measure):
    weak = losses(weak=1.0, weak_until=0.0, measure=measure)
    assert float(terms_of(weak, Sharpener().apply(PHOTO))["weak"]) == pytest.approx(0, abs=1e-6)
    assert float(terms_of(weak, PHOTO)["weak"]) > 1e-4


def test_confidence_spares_where_the_teacher_does_not_explain_the_photo():
    wrong = PHOTO.clone()
    wrong[..., :12, :] = 1 - wrong[..., :12, :]
    weak = WeakLosses(WeakSettings(weak=1.0, confidence=True), Identity(), reblur(PHOTO), wrong, (0, 0))
    image = torch.full_like(PHOTO, 0.5, requires_grad=True)
    (gradient,) = torch.autograd.grad(terms_of(weak, image, share=0)["weak"], image)
    above, below = gradient[..., :10, :].abs().mean(), gradient[..., 14:, :].abs().mean()
    assert above < below / 2


def test_what_is_measured_is_what_the_teacher_sees():
    weak = losses(rec=0.0)
    image = torch.rand(1, 1, 24, 28)
    terms_of(weak, image)
    expected = (Sharpener().apply(reblur(image)) - Sharpener().apply(PHOTO)).abs().mean()
    assert weak.measure() == pytest.approx(float(expected))


def test_a_teacher_without_gradient_is_refused():
    for teacher in (load_teacher("map"), Oracle(PHOTO)):
        with pytest.raises(SettingsError, match=f"through the teacher {teacher.name}, which has no gradient"):
            WeakLosses(WeakSettings(rec=0.1), teacher, PHOTO, PHOTO, (0, 0))
    with pytest.raises(SettingsError, match="rec asks a teacher"):
        SelfDeblurSettings(rec=0.1, teacher="none")


@pytest.mark.parametrize("name", ["dmphn", "nafnet"])
def test_a_network_of_the_catalogue_passes_the_gradient_and_stays_as_it_is(name):
    teacher = CatalogTeacher(name, load_any(name))
    image = draw_picture(33, 38).requires_grad_()
    answer = teacher.apply(image)
    assert answer.shape == image.shape
    (gradient,) = torch.autograd.grad(answer.square().mean(), image)
    assert gradient.abs().sum() > 0
    assert torch.equal(teacher.apply(image), answer)


def test_controls():
    assert torch.equal(Identity().restore(PHOTO, RestoreOptions()).image, PHOTO)
    assert torch.equal(Oracle(PHOTO).restore(PHOTO * 0, RestoreOptions()).image, PHOTO)


def test_a_teacher_of_the_catalogue_answers_as_its_method():
    options = RestoreOptions(kernel=BOX)
    expected = load_method("known-kernel").restore(PHOTO, options).image.clamp(0, 1)
    assert torch.equal(load_teacher("known-kernel").restore(PHOTO, options).image, expected)
