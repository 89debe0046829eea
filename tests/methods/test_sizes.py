from itertools import pairwise

import pytest
import torch
import torch.nn.functional as F  # noqa: N812

from planted import plant, psnr, shake
from unblur.blur.kernels import disk_kernel
from unblur.methods.apply import restore_tensor
from unblur.methods.auto.judge import GainPrediction
from unblur.methods.auto.verdicts import Verdict
from unblur.methods.base import Step, ignore_step
from unblur.methods.kernel_search.search import Candidate
from unblur.methods.loading import load_method
from unblur.methods.options import Region, RestoreOptions
from unblur.methods.reduced_size import Size
from unblur.methods.sizes import JUDGED_SIZES, Look, SizePlan, look_by_size, plan_looks
from unblur.metrics.kernel import kernel_similarity_upto_shift

UNSURE = GainPrediction(-1.0, 1.0)


@pytest.fixture(scope="module")
def verdicts():
    return load_method("auto").verdicts


def verdict(prediction: GainPrediction, **facts) -> Verdict:
    return Verdict((Candidate(disk_kernel(2.0), "linear"),), (prediction,), **facts)


@pytest.mark.parametrize("size", [Size(512, 768), Size(40, 50), Size(100, 4000)])
def test_a_small_or_narrow_photo_is_looked_at_as_it_is(size):
    assert plan_looks(size, JUDGED_SIZES, RestoreOptions()) == [Look(size, searches=True)]


@pytest.mark.parametrize("size", [Size(720, 1280), Size(3000, 4000), Size(8000, 6001)])
def test_a_large_photo_is_looked_at_small_first(size):
    looks = plan_looks(size, JUDGED_SIZES, RestoreOptions(effort="best"))
    sizes = [look.size for look in looks]
    assert sizes[-1] == size
    quick = plan_looks(size, JUDGED_SIZES, RestoreOptions())
    assert quick == [look for look in looks if look.size.height * look.size.width <= 4_000_000]
    assert 100_000 < sizes[0].height * sizes[0].width <= 400_000
    for small, large in pairwise(sizes):
        assert large.height / small.height == pytest.approx(2, rel=0.01)
    assert [look.searches for look in looks] == [height * width <= 1_100_000 for height, width in sizes]


def test_the_region_decides_how_small():
    region = Region(10, 10, 500, 400)
    assert plan_looks(Size(3000, 4000), JUDGED_SIZES, RestoreOptions(region=region)) == [
        Look(Size(3000, 4000), searches=True)
    ]
    narrow = plan_looks(Size(140, 9000), JUDGED_SIZES, RestoreOptions())
    assert [look.searches for look in narrow] == [True], "somewhere it is searched, however large"


class Scripted:
    """Finds names that are given by width, each with whether it is sure."""

    def __init__(self, finds: dict[int, tuple[str, bool]], extent: float = 10.0) -> None:
        self.finds, self.extent, self.calls = finds, extent, []

    def find(self, blurry, options, on_step=ignore_step):
        on_step(Step(1.0, "found"))
        self.calls.append(("find", blurry.shape[-1]))
        return self.finds[blurry.shape[-1]]

    def find_again(self, found, size, blurry, options, on_step=ignore_step):
        self.calls.append(("again", blurry.shape[-1]))
        assert size.width < blurry.shape[-1]
        return self.finds[blurry.shape[-1]]

    def is_sure(self, found):
        return found[1]

    def extent_of(self, found):
        return self.extent

    def join_unsure(self, found, finer):
        return f"{found[0]}, {finer[0]}", False


def look(finds, extent=10.0, **plan):
    looker = Scripted(finds, extent)
    numbers = {"large": 50_000, "small": 50_000, **plan}
    found, size = look_by_size(torch.zeros(1, 1, 512, 640), SizePlan(**numbers), looker, RestoreOptions())
    return found[0], size.width, looker.calls


def test_what_is_sure_is_looked_at_again_at_larger_sizes():
    finds = {160: ("small", True), 320: ("middle", True), 640: ("own", True)}
    assert look(finds) == ("own", 640, [("find", 160), ("again", 320), ("again", 640)])
    assert look({**finds, 640: ("own", False)})[:2] == ("middle", 320), "the finest of those that are sure"
    assert look({**finds, 320: ("middle", False)})[:2] == ("own", 640), "a doubt between does not end it"


def test_a_long_blur_is_removed_at_the_small_size():
    finds = {160: ("small", True), 320: ("middle", True), 640: ("own", True)}
    assert look(finds, extent=33.0) == ("small", 160, [("find", 160)])


def test_what_is_not_found_is_searched_at_larger_sizes():
    finds = {160: ("small", False), 320: ("middle", True), 640: ("own", False)}
    assert look(finds)[:2] == ("middle", 320)
    unsure = {160: ("small", False), 320: ("middle", False), 640: ("own", False)}
    assert look(unsure) == ("small, middle, own", 640, [("find", 160), ("find", 320), ("find", 640)])
    assert look(unsure, searched=100_000) == ("small, middle", 320, [("find", 160), ("find", 320)])


def test_a_photo_is_sharp_if_it_looks_so_at_all_sizes(verdicts):
    sharp, soft = verdict(UNSURE, is_sharp=True), verdict(UNSURE)
    assert verdicts.join_unsure(sharp, sharp).is_sharp
    assert not verdicts.join_unsure(soft, sharp).is_sharp
    assert not verdicts.join_unsure(sharp, soft).is_sharp


@pytest.mark.parametrize(
    ("name", "settings"), [("auto", {}), ("map", {}), ("dublid", {}), ("selfdeblur", {"preset": "quick", "steps": 6})]
)
def test_a_large_photo_is_restored_at_the_size_that_suits_its_blur(name, settings, monkeypatch):
    # As if the photo and its blur were large ones.
    monkeypatch.setattr("unblur.methods.sizes._LONGEST", 10.0)
    small = SizePlan(large=450_000, small=400_000)
    for plan in ("JUDGED_SIZES", "SHORT_BLUR_SIZES"):
        monkeypatch.setattr(f"unblur.methods.auto.method.{plan}", small)
    for method in ("classical_map", "dublid", "selfdeblur"):
        monkeypatch.setattr(f"unblur.methods.{method}.method.MEGAPIXEL_SIZES", small)
    planted = plant(shake(13, 3, (15, 20)), (340, 350), light="linear")
    blurry, sharp = (F.interpolate(x, scale_factor=2, mode="bicubic") for x in (planted.blurry, planted.sharp))
    blurry = (blurry.clamp(0, 1) * 255).round() / 255
    answer = restore_tensor(blurry, load_method(name, settings), RestoreOptions(encoding="linear", effort="fast"))
    assert psnr(answer.image, sharp) > psnr(blurry, sharp) + 1
    assert answer.facts["restored_at"] == (340, 350)
    assert answer.kernel is not None
    assert 20 <= answer.kernel.shape[-1] <= 95, "in pixels of the photo"
    assert torch.isfinite(answer.image).all()


def test_an_answer_that_promises_far_less_at_a_larger_size_is_not_taken(verdicts, monkeypatch):
    photo = torch.zeros(1, 3, 200, 240)
    found = verdict(GainPrediction(3.0, 0.5))
    monkeypatch.setattr("unblur.methods.auto.verdicts.search_again", lambda *_: [])
    monkeypatch.setattr("unblur.methods.auto.verdicts._measures_of", lambda *_: None)
    for gain, is_taken in ((2.0, True), (1.0, False)):
        monkeypatch.setattr(verdicts, "_choose", lambda *_, gain=gain, **__: verdict(GainPrediction(gain, 0.5)))
        finer = verdicts.find_again(found, Size(100, 120), photo, RestoreOptions())
        assert verdicts.is_sure(finer) == is_taken


def test_what_the_spectrum_says_at_a_larger_size_competes_with_what_was_found(verdicts):
    true = disk_kernel(6.0)
    photo = plant(true, (240, 260), light="linear").blurry
    found = Verdict((Candidate(shake(5), "linear"),), (GainPrediction(0.5, 1.0),))
    finer = verdicts.find_again(found, Size(120, 130), photo, RestoreOptions())
    assert finer.best[0].origin == "disk"
    assert kernel_similarity_upto_shift(finer.best[0].kernel, true) > 0.9
