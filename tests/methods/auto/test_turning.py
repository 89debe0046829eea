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


def test_one_kernel_is_kept_where_the_camera_did_not_turn(auto):
    photo, _ = turned_picture(SIZE, turn=0.0, seed=1)
    assert find_turn(photo, BEST, 1.0, auto.verdicts.judge) is None


@pytest.mark.parametrize(
    ("promises", "taken"),
    [
        ((1.0, 1.0, 2.0), True),
        ((1.0, 1.0, -0.5), True),
        ((1.0, 1.0, -1.5), False),
        ((1.0, 4.0, -0.5), False),
        ((4.0, 1.0, 3.5), True),
        ((4.0, 1.0, 2.5), False),
    ],
)
def test_a_turn_is_taken_unless_it_promises_far_less_than_one_kernel(auto, monkeypatch, promises, taken):
    of_one, before, of_turn = promises
    photo, _ = turned_picture(SIZE, turn=12 / 250)
    blur = PoseBlur(torch.full((3, 1, 3, 3), 1 / 27), torch.tensor([-0.02, 0.0, 0.02]))
    monkeypatch.setattr(turning, "search_turn", lambda *_: blur)
    gains = iter([of_one] * 6 + [of_turn] * 6)
    monkeypatch.setattr(auto.verdicts.judge, "predict", lambda _: [GainPrediction(next(gains), 1.0)])
    found = find_turn(photo, BEST, before, auto.verdicts.judge)
    assert (found is not None) == taken
    if found is not None:
        assert found.blur is blur
        assert found.prediction == (of_turn, 1.0)


def test_a_line_or_a_disk_is_not_searched(auto):
    photo, _ = turned_picture(SIZE, turn=12 / 250)
    for origin in ("line", "disk", "gaussian", "streak"):
        assert find_turn(photo, replace(BEST, origin=origin), 1.0, auto.verdicts.judge) is None


def test_small_photos_are_not_searched(auto):
    assert find_turn(torch.rand(1, 1, 150, 400), BEST, 1.0, auto.verdicts.judge) is None


def test_the_search_can_be_stopped(auto):
    photo, _ = turned_picture(SIZE, turn=12 / 250)

    def stop(_):
        raise Cancelled

    with pytest.raises(Cancelled):
        find_turn(photo, BEST, 1.0, auto.verdicts.judge, stop)


def test_the_answer_of_a_turn_is_named_and_restored_place_by_place(auto, monkeypatch):
    photo, _ = turned_picture(SIZE, turn=12 / 250)
    blur = PoseBlur(torch.full((3, 1, 3, 3), 1 / 27), torch.tensor([-0.02, 0.0, 0.02]))
    monkeypatch.setattr("unblur.methods.auto.method.find_turn", lambda *_: Turned(blur, GainPrediction(3.0, 1.0)))
    options = RestoreOptions(encoding="linear")
    answer = restore_tensor(photo, auto, options)
    assert "turning by" in answer.facts["found"]
    assert answer.facts["turn_degrees"] == pytest.approx(math.degrees(blur.turn), abs=0.01)
    torch.testing.assert_close(answer.kernel, blur.kernel_at((0.0, 0.0)))
    assert not torch.equal(answer.image, photo)
    quick = restore_tensor(photo, auto, RestoreOptions(encoding="linear", effort="fast"))
    assert "turning" not in quick.facts["found"]


@pytest.mark.parametrize(("promised", "taken"), [(52.0, True), (2.0, False)])
def test_a_turn_alone_must_promise_enough(monkeypatch, promised, taken):
    photo, _ = turned_picture(SIZE, turn=12 / 250)
    blur, prediction = PoseBlur(torch.full((3, 1, 3, 3), 1 / 27), torch.tensor([-0.02, 0.0, 0.02])), (promised, 1.0)
    monkeypatch.setattr("unblur.methods.auto.method.find_turn", lambda *_: Turned(blur, GainPrediction(*prediction)))
    unsure = load_method("auto", {"least_gain": 50.0})  # of one kernel
    assert ("turning" in restore_tensor(photo, unsure, RestoreOptions(encoding="linear")).facts["found"]) == taken
