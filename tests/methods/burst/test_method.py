"""A planted burst: better than the best answer to one photo; what does not fit is left out; a sharp photo is taken."""

from dataclasses import replace

import pytest
import torch

from planted import draw_picture, shake, shifted_psnr
from unblur.blur.convolve import convolve
from unblur.errors import Cancelled, UsageError
from unblur.images.tensors import linear_to_srgb, srgb_to_linear
from unblur.methods.apply import restore_burst, restore_tensor
from unblur.methods.base import Step, Traits, ignore_step
from unblur.methods.burst.method import Burst
from unblur.methods.burst.turns import estimate_turn, turn
from unblur.methods.kernel_method import BlurEstimate, KernelMethod
from unblur.methods.loading import load_method
from unblur.methods.options import Region, RestoreOptions
from unblur.methods.reduced_size import Size, size_of
from unblur.methods.transforms import resample

pytestmark = pytest.mark.usefixtures("quick_search")

WIDE = draw_picture(250, 260, seed=1)
SIZE = 150, 160
KERNELS = [shake(side, seed, (1.2 * side, 1.6 * side)) for seed, side in ((3, 15), (5, 13), (9, 11))]
SHIFTS = [(0, 0), (7, -5), (-12, 9)]
"""By how much each photo's content lies farther right and down than the first one's."""
OPTIONS = RestoreOptions(encoding="encoded")


def take(kernel: torch.Tensor | None, shift: tuple[int, int] = (0, 0), seed: int = 0, light: float = 1.0):
    """One photo of the burst."""
    scene = WIDE if kernel is None else convolve(WIDE, kernel, "replicate")
    top, left = 45 - shift[1], 45 - shift[0]
    photo = linear_to_srgb(light * srgb_to_linear(scene[..., top : top + SIZE[0], left : left + SIZE[1]]))
    noise = 0.01 * torch.randn(photo.shape, generator=torch.Generator().manual_seed(seed))
    return (photo + noise).clamp(0, 1)


SHARP = WIDE[..., 45 : 45 + SIZE[0], 45 : 45 + SIZE[1]]
PHOTOS = [take(kernel, shift, seed) for seed, (kernel, shift) in enumerate(zip(KERNELS, SHIFTS, strict=True))]


class KnownAnswer(KernelMethod):
    """Gets the kernel of one photo, and which others are sharp: the searches of real methods take seconds."""

    traits = Traits(uses=frozenset({"encoding", "solver"}))
    settings = None

    def __init__(self, known: torch.Tensor, kernel: torch.Tensor, sharp: torch.Tensor | None = None):
        self.known, self.kernel, self.sharp = known, kernel, sharp

    def estimate(self, blurry, options, on_step=ignore_step):
        on_step(Step(1.0, "searched"))
        if torch.equal(blurry, self.known):
            return BlurEstimate(self.kernel, options.encoding)
        looks_sharp = self.sharp is not None and torch.equal(blurry, self.sharp)
        return BlurEstimate(None, refusal="no kernel was given", looks_sharp=looks_sharp)


@pytest.fixture(scope="module")
def method():
    return KnownAnswer(PHOTOS[0], KERNELS[0])


def restored(method, photos, options=OPTIONS, **more):
    return restore_tensor(photos[0], Burst(method, photos[1:]), options, **more)


@pytest.fixture(scope="module")
def joined(method):
    return restored(method, PHOTOS)


def test_the_burst_gains_over_every_photo_with_its_true_kernel(joined):
    alone = []
    for photo, kernel, (right, down) in zip(PHOTOS, KERNELS, SHIFTS, strict=True):
        truth = WIDE[..., 45 - down : 45 - down + SIZE[0], 45 - right : 45 - right + SIZE[1]]
        alone.append(shifted_psnr(restore_tensor(photo, KnownAnswer(photo, kernel), OPTIONS).image, truth, 25))
    assert shifted_psnr(joined.image, SHARP, 25) >= max(alone) + 0.5
    assert joined.warnings == ()


@pytest.mark.slow
def test_the_burst_gains_over_the_best_photo_that_is_searched():
    method = load_method("map", {"hypotheses": 1, "first_box": 15})
    alone = []
    for photo, (right, down) in zip(PHOTOS, SHIFTS, strict=True):
        truth = WIDE[..., 45 - down : 45 - down + SIZE[0], 45 - right : 45 - right + SIZE[1]]
        alone.append(shifted_psnr(restore_tensor(photo, method, OPTIONS).image, truth, 25))
    assert shifted_psnr(restored(method, PHOTOS).image, SHARP, 25) >= max(alone) + 1


def test_it_says_what_each_photo_is(joined):
    photos = joined.facts["photos"]
    assert [one["photo"] for one in photos] == [1, 2, 3]
    assert all(one["used"] for one in photos)
    for one, (right, down) in zip(photos, SHIFTS, strict=True):
        found = [own - first for own, first in zip(one["shift"], photos[0]["shift"], strict=True)]
        # Kernels are known up to a shift that their own extent hides.
        assert abs(found[0] - right) <= 5
        assert abs(found[1] - down) <= 5
    assert len(joined.burst_kernels) == 3
    assert torch.equal(joined.kernel, joined.burst_kernels[0])
    assert "each of 3 photos" in joined.facts["found"]


def test_photos_that_are_turned_against_the_first_are_turned_back(method, monkeypatch):
    turned = [PHOTOS[0], *(turn(photo, degrees) for photo, degrees in zip(PHOTOS[1:], (2.0, -1.5), strict=True))]
    answer = restored(method, turned)
    assert [one["turn"] for one in answer.facts["photos"]] == pytest.approx([0, -2.0, 1.5], abs=0.3)
    assert not answer.warnings
    monkeypatch.setattr("unblur.methods.burst.method.estimate_turn", lambda *_: 0.0)
    assert shifted_psnr(answer.image, SHARP, 25) > shifted_psnr(restored(method, turned).image, SHARP, 25) + 1


def test_a_sharp_photo_is_the_answer_as_it_was_taken_even_if_it_is_turned():
    scene = draw_picture(360, 380, seed=1)
    blurry, taken = convolve(scene, KERNELS[0], "replicate"), turn(scene, 2.0)
    seen = turn(taken, estimate_turn(taken, blurry))
    assert not torch.equal(seen, taken)
    answer = restored(KnownAnswer(blurry, KERNELS[0], sharp=seen), [blurry, taken])
    assert torch.equal(answer.image, taken)


def test_what_does_not_fit_is_left_out(method):
    stranger = draw_picture(*SIZE, seed=77)
    larger = torch.rand(1, 1, 200, 200, generator=torch.Generator().manual_seed(0))
    dark = take(KERNELS[2], light=0.1)
    answer = restored(method, [PHOTOS[0], stranger, PHOTOS[1], larger, dark])
    said = " ".join(answer.warnings)
    assert "photo 2 of the burst is left out: it does not show the same scene" in said
    assert "photo 4 of the burst is left out: it has another size" in said
    assert "photo 5 of the burst is left out: it got 0.1 times the light" in said
    assert [one is not None for one in answer.burst_kernels] == [True, False, True, False, False]
    assert shifted_psnr(answer.image, SHARP, 25) > shifted_psnr(PHOTOS[0], SHARP, 25) + 3


def test_other_exposures_are_matched_to_the_first(method):
    answer = restored(method, [PHOTOS[0], take(KERNELS[1], SHIFTS[1], 1, light=0.6), take(KERNELS[2], light=0.8)])
    assert [one["used"] for one in answer.facts["photos"]] == [True, True, True]
    assert float(answer.image.mean()) == pytest.approx(float(PHOTOS[0].mean()), abs=0.01)


def test_one_that_is_left_is_restored_alone(method):
    answer = restored(method, [PHOTOS[0], draw_picture(*SIZE, seed=77)])
    assert "the first photo is restored alone" in answer.warnings
    assert torch.equal(answer.image, restore_tensor(PHOTOS[0], method, OPTIONS).image)
    other = restored(method, [draw_picture(*SIZE, seed=78), PHOTOS[0]])  # of the first one no blur is known
    assert "photo 2 of the burst is restored alone" in other.warnings
    assert torch.equal(other.image, answer.image)


def test_a_sharp_photo_is_the_answer():
    photos = [PHOTOS[0], take(None, (3, 4)), PHOTOS[1]]
    answer = restored(KnownAnswer(PHOTOS[0], KERNELS[0], sharp=photos[1]), photos)
    assert torch.equal(answer.image, photos[1])
    assert "photo 2 of the burst is sharp" in answer.warnings[0]
    assert not answer.unchanged
    assert restored(KnownAnswer(PHOTOS[0], KERNELS[0], sharp=photos[1]), [photos[1], PHOTOS[0]]).unchanged


def test_a_slightly_blurred_photo_that_looks_sharp_is_joined():
    """The others show what it says of itself no method can see."""
    photos = [PHOTOS[0], take(shake(5, 4, (7, 9)), (3, 4)), PHOTOS[1]]
    method = KnownAnswer(PHOTOS[0], KERNELS[0], sharp=photos[1])
    answer = restored(method, photos)
    assert [one["used"] for one in answer.facts["photos"]] == [True] * 3
    truth = WIDE[..., 45 - 4 : 45 - 4 + SIZE[0], 45 - 3 : 45 - 3 + SIZE[1]]
    assert shifted_psnr(answer.image, SHARP, 25) > shifted_psnr(photos[1], truth, 25) + 1


def test_a_sharp_photo_of_something_else_is_not():
    stranger = draw_picture(*SIZE, seed=77)
    answer = restored(KnownAnswer(PHOTOS[0], KERNELS[0], sharp=stranger), [PHOTOS[0], stranger, PHOTOS[1]])
    assert [one["used"] for one in answer.facts["photos"]] == [True, False, True]


def test_without_a_sure_kernel_the_first_is_restored_alone():
    answer = restored(KnownAnswer(SHARP, KERNELS[0]), PHOTOS)
    assert answer.unchanged
    assert answer.warnings == (
        "no photo of the burst has a blur that is sure",
        "the first photo is restored alone",
        "no kernel was given",
    )


def test_wrong_use_is_a_sentence(method):
    with pytest.raises(UsageError, match="here is one"):
        Burst(method, [])
    with pytest.raises(UsageError, match="finds a kernel"):
        Burst(load_method("input"), PHOTOS[1:])
    with pytest.raises(UsageError, match="no other photo has 160x150"):
        restored(method, [PHOTOS[0], torch.zeros(1, 1, 60, 60)])
    with pytest.raises(UsageError, match="restored as a whole"):
        restore_burst([SHARP[0, 0].numpy()] * 2, method, only_region=Region(0, 0, 64, 64))
    with pytest.raises(UsageError, match="richardson-lucy takes one photo"):
        restored(method, PHOTOS, replace(OPTIONS, solver="richardson-lucy"))


def test_it_can_be_stopped(method):
    def stop(step):
        if step.fraction > 0.65:
            raise Cancelled("enough")

    with pytest.raises(Cancelled, match="enough"):
        restored(method, PHOTOS, on_step=stop)


class KnownAtSmall(KnownAnswer):
    """Finds the kernel of a photo at half its sides."""

    def estimate(self, blurry, options, on_step=ignore_step):
        on_step(Step(1.0, "searched"))
        small, own = Size(*SIZE), size_of(blurry)
        shown = blurry if own == small else resample(blurry, small)
        if float((shown - self.known).abs().mean()) > 0.01:
            return BlurEstimate(None, refusal="no kernel was given")
        return BlurEstimate(self.kernel, options.encoding).found_at(small, own)


def test_a_burst_of_large_photos_is_joined_at_the_size_at_which_the_blur_was_found():
    size = Size(2 * SIZE[0], 2 * SIZE[1])
    first, *others = (resample(photo, size).clamp(0, 1) for photo in PHOTOS)
    steps = []
    method = Burst(KnownAtSmall(PHOTOS[0], KERNELS[0]), others)
    answer = restore_tensor(first, method, OPTIONS, steps.append)
    assert answer.image.shape == first.shape
    assert answer.facts["restored_at"] == SIZE
    assert answer.kernel.shape[-1] > 1.7 * KERNELS[0].shape[-1], "in pixels of the photo"
    assert all(kernel is not None for kernel in answer.burst_kernels)
    sharp = resample(SHARP, size)
    assert shifted_psnr(answer.image, sharp, 24) > shifted_psnr(first, sharp, 24) + 2
    fractions = [step.fraction for step in steps]
    assert fractions == sorted(fractions)
