from itertools import pairwise

import pytest
import torch
import torch.nn.functional as F  # noqa: N812

from planted import plant, psnr, shake
from unblur.blur.kernels import disk_kernel
from unblur.methods.apply import restore_tensor
from unblur.methods.auto.judge import GainPrediction
from unblur.methods.auto.sizes import Look, can_be_larger, finer_of, plan_looks
from unblur.methods.auto.verdicts import Verdict
from unblur.methods.kernel_search.search import Candidate
from unblur.methods.loading import load_method
from unblur.methods.options import Region, RestoreOptions
from unblur.methods.reduced_size import Size

SURE, UNSURE = GainPrediction(3.0, 1.0), GainPrediction(-1.0, 1.0)


@pytest.fixture(scope="module")
def verdicts():
    return load_method("auto").verdicts


def verdict(prediction: GainPrediction, radius: float = 2.0, **facts) -> Verdict:
    return Verdict((Candidate(disk_kernel(radius), "linear"),), prediction, **facts)


@pytest.mark.parametrize("size", [Size(512, 768), Size(40, 50), Size(100, 4000)])
def test_a_small_or_narrow_photo_is_looked_at_as_it_is(size):
    assert plan_looks(size, RestoreOptions()) == [Look(size, searches=True)]


@pytest.mark.parametrize("size", [Size(720, 1280), Size(3000, 4000), Size(8000, 6001)])
def test_a_large_photo_is_looked_at_small_first(size):
    looks = plan_looks(size, RestoreOptions(effort="best"))
    sizes = [look.size for look in looks]
    assert sizes[-1] == size
    quick = plan_looks(size, RestoreOptions())
    assert quick == [look for look in looks if look.size.height * look.size.width <= 4_000_000]
    assert 100_000 < sizes[0].height * sizes[0].width <= 400_000
    for small, large in pairwise(sizes):
        assert large.height / small.height == pytest.approx(2, rel=0.01)
    assert [look.searches for look in looks] == [height * width <= 1_100_000 for height, width in sizes]


def test_the_region_decides_how_small():
    region = Region(10, 10, 500, 400)
    assert plan_looks(Size(3000, 4000), RestoreOptions(region=region)) == [Look(Size(3000, 4000), searches=True)]
    narrow = plan_looks(Size(140, 9000), RestoreOptions())
    assert [look.searches for look in narrow] == [True], "somewhere it is searched, however large"


def test_what_is_sure_is_taken_and_the_larger_size_first(verdicts):
    coarse, fine = verdict(SURE), verdict(GainPrediction(1.0, 1.0), 4.0)
    assert finer_of(coarse, fine, verdicts) is fine
    assert finer_of(verdict(UNSURE), fine, verdicts) is fine
    assert finer_of(coarse, verdict(UNSURE), verdicts) is coarse
    assert can_be_larger(verdict(SURE, 3.0))
    assert not can_be_larger(verdict(SURE, 30.0))


def test_a_photo_is_sharp_if_it_looks_so_at_all_sizes(verdicts):
    sharp, soft = verdict(UNSURE, is_sharp=True), verdict(UNSURE)
    assert finer_of(sharp, sharp, verdicts).is_sharp
    assert not finer_of(soft, sharp, verdicts).is_sharp
    assert not finer_of(sharp, soft, verdicts).is_sharp


def test_a_large_photo_is_restored_at_the_size_that_suits_its_blur(monkeypatch):
    monkeypatch.setattr("unblur.methods.auto.sizes._LONGEST", 10.0)  # as if the blur were a large one
    planted = plant(shake(13, 3, (15, 20)), (340, 350), light="linear")
    blurry, sharp = (F.interpolate(x, scale_factor=2, mode="bicubic") for x in (planted.blurry, planted.sharp))
    blurry = (blurry.clamp(0, 1) * 255).round() / 255
    answer = restore_tensor(blurry, load_method("auto"), RestoreOptions(encoding="linear", effort="fast"))
    assert psnr(answer.image, sharp) > psnr(blurry, sharp) + 2
    assert answer.facts["restored_at"] == (340, 350)
    assert answer.kernel is not None
    assert 20 <= answer.kernel.shape[-1] <= 35, "in pixels of the photo"
    assert torch.isfinite(answer.image).all()
