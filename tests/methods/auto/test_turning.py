import math
from dataclasses import replace

import pytest
import torch

from turned import middle_kernel, turned_picture
from unblur.blur.poses import PoseBlur
from unblur.errors import Cancelled
from unblur.methods.apply import restore_tensor
from unblur.methods.auto import turning
from unblur.methods.auto.judge import GainPrediction
from unblur.methods.auto.turning import Turned, find_turn
from unblur.methods.kernel_search.search import Candidate
from unblur.methods.loading import load_method
from unblur.methods.options import RestoreOptions

SIZE = (300, 400)
BEST = Candidate(middle_kernel(), "linear")


@pytest.fixture(scope="module")
def auto():
    return load_method("auto")


@pytest.fixture(scope="module")
def turned():
    photo, _ = turned_picture(SIZE, turn=12 / 250)
    return photo


BLUR = PoseBlur(torch.full((3, 1, 3, 3), 1 / 27), torch.tensor([-0.02, 0.0, 0.02]))


def test_one_kernel_is_kept_where_the_camera_did_not_turn():
    photo, _ = turned_picture(SIZE, turn=0.0, seed=1)
    assert find_turn(photo, BEST) is None


def test_a_turn_is_found_and_explains_the_photo_with_fewer_edges(turned):
    found = find_turn(turned, BEST)
    assert found is not None
    assert found.is_sure
    assert 6 / 250 < found.blur.turn < 20 / 250


@pytest.mark.parametrize(("edges", "taken", "is_sure"), [(0.9, True, True), (0.99, True, False), (1.01, False, False)])
def test_a_turn_is_taken_where_it_explains_the_photo_with_fewer_edges(turned, monkeypatch, edges, taken, is_sure):
    monkeypatch.setattr(turning, "search_turn", lambda *_: BLUR)
    monkeypatch.setattr(turning, "compare_edges", lambda *_: edges)
    found = find_turn(turned, BEST)
    assert (found is not None) == taken
    if found is not None:
        assert found.blur is BLUR
        assert found.is_sure == is_sure
        assert found.prediction.gain > 0.8


def test_a_disk_is_not_searched(turned):
    for origin in ("disk", "gaussian", "streak"):
        assert find_turn(turned, replace(BEST, origin=origin)) is None


def test_noise_as_large_as_the_edges_that_count_leaves_no_turn(turned):
    noise = 0.02 * torch.randn(turned.shape, generator=torch.Generator().manual_seed(0))
    assert find_turn((turned + noise).clamp(0, 1), BEST) is None


def test_small_photos_are_not_searched():
    assert find_turn(torch.rand(1, 1, 150, 400), BEST) is None


def test_the_search_can_be_stopped(turned):

    def stop(_):
        raise Cancelled

    with pytest.raises(Cancelled):
        find_turn(turned, BEST, stop)


def finds(blur, *, gain=3.0, is_sure=True):
    """Stands for `find_turn`: the result is given, without a search."""
    return lambda *_: Turned(blur, GainPrediction(gain, 1.0), is_sure, jpeg_coarseness=0.5)


def test_the_answer_of_a_turn_is_named_and_restored_place_by_place(auto, turned, monkeypatch):
    monkeypatch.setattr("unblur.methods.auto.method.find_turn", finds(BLUR))
    options = RestoreOptions(encoding="linear")
    answer = restore_tensor(turned, auto, options)
    assert "turning by" in answer.facts["found"]
    assert answer.facts["turn_degrees"] == pytest.approx(math.degrees(BLUR.turn), abs=0.01)
    torch.testing.assert_close(answer.kernel, BLUR.kernel_at((0.0, 0.0)))
    assert not torch.equal(answer.image, turned)
    quick = restore_tensor(turned, auto, RestoreOptions(encoding="linear", effort="fast"))
    assert "turning" not in quick.facts["found"]


@pytest.mark.parametrize("is_sure", [True, False])
def test_only_a_sure_turn_is_taken_where_one_kernel_may_not_be(turned, monkeypatch, is_sure):
    monkeypatch.setattr("unblur.methods.auto.method.find_turn", finds(BLUR, is_sure=is_sure))
    unsure = load_method("auto", {"least_gain": 50.0})  # of one kernel
    answer = restore_tensor(turned, unsure, RestoreOptions(encoding="linear"))
    assert ("turning" in answer.facts["found"]) == is_sure


def test_parts_are_improved_with_the_jpeg_quality_of_the_whole_photo(auto, turned, monkeypatch):
    monkeypatch.setattr("unblur.methods.auto.method.find_turn", finds(BLUR))
    seen: list[float | None] = []

    def improve(blurry, kernel, encoding, answer, known, *, jpeg_coarseness=None):
        seen.append(jpeg_coarseness)
        return answer

    monkeypatch.setattr(auto, "_improve", improve)
    restore_tensor(turned, auto, RestoreOptions(encoding="linear"))
    assert len(seen) > 1
    assert set(seen) == {0.5}
